// Talking through the device's speaker: the browser's microphone as PCM.

import { device } from "./transport.js";

/// A press that is longer than this talks as long as it lasts; a shorter one switches talking on or off.
const HOLD_MS = 400;
/// The device's speaker is asked for at this rate; what the browser has is converted here or there.
const RATE = 16_000;
const MAX_RATE = 48_000;

const NO_MICROPHONE = "The browser gives a page no microphone unless it came over https or from localhost.";
const LABELS = { idle: "Talk", opening: "Opening…", talking: "Talking" };

export class Talk {
    /// - button: talks; status: says what stands in the way.
    constructor(button, status) {
        this.button = button;
        this.status = status;
        this.state = "idle";
        /// Whether the press that is going on began the talk.
        this.pressed = null;
        button.addEventListener("pointerdown", (event) => this.press(event));
        for (const end of ["pointerup", "pointercancel"]) button.addEventListener(end, () => this.release());
        // Of the keyboard; a pointer's click has been dealt with when it comes.
        button.addEventListener("click", (event) => {
            if (event.detail === 0) this.state === "idle" ? this.start() : this.stop();
        });
        addEventListener("pagehide", () => this.stop());
        this.show();
    }

    press(event) {
        if (event.button !== 0) return;
        this.button.setPointerCapture?.(event.pointerId);
        this.pressed = { at: performance.now(), began: this.state === "idle" };
        if (this.pressed.began) this.start();
    }

    release() {
        const { pressed } = this;
        this.pressed = null;
        if (!pressed) return;
        if (!pressed.began || performance.now() - pressed.at >= HOLD_MS) this.stop();
    }

    async start() {
        if (!navigator.mediaDevices?.getUserMedia) {
            this.say(NO_MICROPHONE);
            return;
        }
        this.state = "opening";
        this.say("");
        // Whatever is opened belongs to this attempt; a later one, or a stop, leaves it alone.
        const attempt = { stream: null, context: null, voice: null };
        this.attempt = attempt;
        try {
            attempt.stream = await navigator.mediaDevices.getUserMedia({
                audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true },
            });
            if (this.attempt !== attempt) return close(attempt);
            const node = await listen(attempt);
            if (this.attempt !== attempt) return close(attempt);
            this.connect(attempt, node);
        } catch (error) {
            close(attempt);
            if (this.attempt === attempt) this.end(`The microphone does not open: ${error.message}`);
        }
    }

    connect(attempt, node) {
        attempt.voice = device.openVoice(attempt.context.sampleRate, {
            onOpen: () => {
                if (this.attempt !== attempt) return;
                // Only now the speaker is really open.
                this.state = "talking";
                this.show();
                node.port.onmessage = ({ data: samples }) => attempt.voice.send(samples);
            },
            onEnd: (reason) => {
                if (this.attempt !== attempt) return;
                const wasTalking = this.state === "talking";
                close(attempt);
                this.end(wasTalking ? `The device ended the talk: ${reason || "the connection is lost"}.`
                    : `You cannot talk now: ${reason || "the device does not answer"}.`);
            },
        });
    }

    stop() {
        const { attempt } = this;
        if (!attempt) return;
        this.end("");
        close(attempt);
    }

    end(text) {
        this.attempt = null;
        this.state = "idle";
        this.say(text);
    }

    say(text) {
        this.status.textContent = text;
        this.status.hidden = text === "";
        this.show();
    }

    show() {
        this.button.dataset.state = this.state;
        this.button.setAttribute("aria-pressed", String(this.state !== "idle"));
        this.button.querySelector("span").textContent = LABELS[this.state];
        // On phones only the picture is shown.
        this.button.setAttribute("aria-label", LABELS[this.state]);
        this.button.title = "Hold to talk, or click to switch talking on and off";
    }
}

/// Begins to take the microphone's sound; it comes as messages of the node that is returned.
async function listen(attempt) {
    let source;
    try {
        attempt.context = new AudioContext({ sampleRate: RATE });
        source = attempt.context.createMediaStreamSource(attempt.stream);
    } catch {
        // Some browsers do not convert a microphone's rate.
        attempt.context?.close();
        attempt.context = new AudioContext();
        if (attempt.context.sampleRate > MAX_RATE) throw new Error(`its rate is above ${MAX_RATE} Hz`);
        source = attempt.context.createMediaStreamSource(attempt.stream);
    }
    await attempt.context.audioWorklet.addModule("talk-worklet.js");
    const node = new AudioWorkletNode(attempt.context, "microphone", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
    source.connect(node);
    await attempt.context.resume();
    return node;
}

function close({ stream, context, voice }) {
    for (const track of stream?.getTracks() ?? []) track.stop();
    context?.close();
    voice?.close();
}
