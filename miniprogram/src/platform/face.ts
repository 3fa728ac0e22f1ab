/** What the pages may ask of the device. `h5.ts` and `weixin.ts` each answer all of it; nothing else knows which is which. */

export interface PickedFile {
  name: string
  mime: string
  size: number
  source: 'camera' | 'album' | 'file'
  /** RFC 3339, only where the camera made the picture now. */
  captured_at: string | null
  /** A Blob on H5, a temporary path in WeChat. */
  content: unknown
}

/** Files that outlive the page: photographs waiting to be sent. */
export interface FileShelf {
  put(id: string, file: PickedFile): Promise<void>
  read(id: string, offset: number, length: number): Promise<ArrayBuffer>
  remove(id: string): Promise<void>
  /** An address an <image> can show; null when the file is gone. */
  url(id: string): Promise<string | null>
}

export interface Shelf {
  get<T>(key: string): T | null
  set(key: string, value: unknown): void
  remove(key: string): void
  keys(): string[]
}

export interface Place {
  latitude: string
  longitude: string
  accuracy_m: number
  datum: 'wgs84' | 'gcj02'
  precision_class: 'precise' | 'fuzzy' | 'chosen'
  age_s: number
}

export interface Point {
  x: number
  y: number
}

/** The person refused, or the device cannot tell. */
export class NoPlace extends Error {
  constructor(readonly why: 'refused' | 'unavailable') {
    super(why)
  }
}

export interface DeviceFacts {
  model: string
  system: string
  platform: 'h5' | 'mp-weixin'
  sdk_version: string
}

export interface Answer {
  /** 0: nothing came back (no network, time out). */
  status: number
  headers: Record<string, string>
  body: unknown
}

export interface Call {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  path: string
  headers: Record<string, string>
  body?: unknown
  /** The answer's body is bytes (ArrayBuffer), not JSON. */
  bytes?: boolean
}

export interface Wire {
  send(text: string): void
  close(): void
}

export interface WireEvents {
  open(): void
  message(text: string): void
  closed(code: number): void
}

export interface Face {
  name: 'h5' | 'mp-weixin'
  /** Once, when the app starts; `back` is what the way back is called, in the reader's language. */
  begin(back: () => string): void
  /** The demonstration handset this page plays; '' on a real phone. */
  handset: string
  /** Whether a person can sign in here at all (WeChat, or a demonstration handset). */
  canSignIn: boolean
  shelf: Shelf
  files: FileShelf
  /** A single-use WeChat login code. */
  loginCode(): Promise<string>
  locate(): Promise<Place>
  pickPhotos(source: 'camera' | 'album', most: number): Promise<PickedFile[]>
  pickDocument(): Promise<PickedFile | null>
  /** Draws strokes on a <canvas>, cleared before; coordinates in px of the page. */
  ink(canvasId: string, owner: unknown, strokes: Point[][]): void
  /** The picture drawn on a <canvas>, as PNG. */
  drawing(canvasId: string, owner: unknown): Promise<PickedFile>
  random(length: number): Promise<Uint8Array>
  device(): DeviceFacts
  networkType(): Promise<string>
  onNetwork(heard: (online: boolean) => void): void
  systemLanguage(): string
  request(call: Call): Promise<Answer>
  wire(path: string, events: WireEvents): Wire
  /** Runs `work` while no other tab of this handset runs it. */
  alone(work: () => Promise<void>): Promise<void>
  /** Shows fetched bytes: the address of a picture for an <image>, or null when the device opened them itself. */
  show(bytes: ArrayBuffer, mime: string, name: string): Promise<string | null>
  /** Hands the person a file or address outside the page (a proof, a document). */
  openAddress(path: string): void
}
