// Types of edge-agent-viewer.js.

export declare const ErrorCode: Readonly<{
    ok: 0;
    badParameter: -2000;
    badInfo: -2001;
    notInitialised: -2002;
    startedTwice: -2003;
    unsupported: -2004;
    deviceTooOld: -2005;
    serviceStartedTwice: -2401;
    streamFailed: -2402;
    serviceNotStarted: -2403;
    noPeerToPeer: -2404;
    voiceFailed: -2601;
    downloadFailed: -2701;
    handOverFailed: -2801;
}>;

export declare const ServiceState: Readonly<{
    idle: "ServiceIdle";
    waitInit: "ServiceWaitInit";
    preparing: "ServicePreparing";
    started: "ServiceStarted";
    startError: "ServiceStartError";
    connected: "ServiceConnected";
    error: "ServiceError";
}>;
export type ServiceStateName = (typeof ServiceState)[keyof typeof ServiceState];

export declare class ViewerError extends Error {
    readonly errcode: number;
    readonly status?: number;
}

export interface Settings {
    iceServers?: RTCIceServer[];
}

export interface ServiceInfo {
    /// The device's address; that of the page where it is left out.
    url?: string | URL;
    /// A ticket for the device, or what gets one, for devices that want one; also under the plugin's name.
    ticket?: string | (() => string | Promise<string>);
    xp2pInfo?: string;
    iceServers?: RTCIceServer[];
    headers?: Record<string, string>;
    relayOnly?: boolean;
    /// False: a link that is lost is not made again.
    reconnect?: boolean;
    /// Another way to bring the offer to the device and its answer back.
    exchange?(offer: string): Promise<string>;
}

export interface Route {
    isRelayed: boolean;
    localKind?: RTCIceCandidateType;
    remoteKind?: RTCIceCandidateType;
    roundTripSeconds?: number;
}

export type MessageCallback = (event: string, subtype: string, detail: unknown) => void;

export interface ServiceCallbacks {
    msgCallback?: MessageCallback;
    onStateChange?(state: ServiceStateName, id: string): void;
}

export type Parameters = string | Record<string, string | number>;

export interface StreamOptions {
    flv?: { filename?: string; params?: Parameters };
    msgCallback?: MessageCallback;
    dataCallback?(data: ArrayBuffer): void;
}

export interface CommandResult {
    type: "success" | "failure" | "error" | "timeout";
    status?: number;
    data?: string | ArrayBuffer;
    errcode: number;
    errmsg: string;
}

export interface VoiceCallbacks {
    onStart?(detail: { id: string }): void;
    onFailure?(detail: { id: string; status: number; errcode: number }): void;
    /// `reason` is the device's, where it ended the talk.
    onStop?(detail: { id: string; reason: string }): void;
    onComplete?(detail: { id: string }): void;
}

export interface VoiceWriter {
    /// False where the piece was dropped, since the path is too slow.
    addChunk(chunk: ArrayBuffer | Uint8Array): boolean;
    stop(): void;
}

export interface DownloadResult {
    id: string;
    bytes: number;
    status?: number;
    errcode?: number;
    errmsg?: string;
}

export interface DownloadCallbacks {
    onHeadersReceived?(head: { status: number; headers: Record<string, string> }): void;
    onChunkReceived?(data: ArrayBuffer): void;
    onSuccess?(result: DownloadResult): void;
    onFailure?(result: DownloadResult): void;
    onError?(result: DownloadResult): void;
    onStop?(result: DownloadResult): void;
    onComplete?(result: DownloadResult): void;
}

export declare class EdgeAgentViewer {
    init(settings?: Settings): Promise<0>;
    startP2PService(id: string, info?: ServiceInfo, callbacks?: ServiceCallbacks): Promise<0>;
    ensureP2PService(id: string, info?: ServiceInfo, callbacks?: ServiceCallbacks): Promise<0>;
    stopP2PService(id: string): number;
    getRoute(id: string): Promise<Route | null>;
    getServiceState(id: string): ServiceStateName;
    startStream(id: string, options?: StreamOptions): Promise<0>;
    stopStream(id: string, options?: { params?: Parameters }): number;
    sendCommand(
        id: string, command: Parameters, options?: { responseType?: "text" | "arraybuffer"; timeout?: number }
    ): Promise<CommandResult>;
    startVoice(id: string, parameters?: Parameters, callbacks?: VoiceCallbacks): Promise<VoiceWriter>;
    stopVoice(id: string): number;
    startLocalDownload(
        id: string, parameters: { channel: number; file_name: string; offset?: number }, callbacks?: DownloadCallbacks
    ): number;
    stopLocalDownload(id: string): number;
    resetP2P(): number;
    destroy(): number;
}

/// What behaves as a WebSocket that brings the stream.
export declare class StreamSocket {
    constructor(
        viewer: EdgeAgentViewer, id: string, parameters: string, info?: ServiceInfo & { callbacks?: ServiceCallbacks }
    );
    onopen?: () => void;
    onmessage?: (event: { data: ArrayBuffer }) => void;
    onclose?: (event: { code: number; reason: string }) => void;
    close(): void;
}

export declare const viewer: EdgeAgentViewer;
