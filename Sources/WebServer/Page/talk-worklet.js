// Turns the microphone's sound into pieces of 20 ms of 16-bit PCM. On the browser's sound thread.

class Microphone extends AudioWorkletProcessor {
    constructor() {
        super();
        this.piece = new Int16Array(Math.round(sampleRate / 50));
        this.filled = 0;
    }

    process([[channel]]) {
        for (const sample of channel ?? []) {
            this.piece[this.filled++] = Math.max(-1, Math.min(1, sample)) * 32767;
            if (this.filled < this.piece.length) continue;
            this.port.postMessage(this.piece.slice().buffer);
            this.filled = 0;
        }
        return true;
    }
}

registerProcessor("microphone", Microphone);
