import { type Face, NoPlace, type PickedFile, type Wire, type WireEvents } from './face'
import { httpCall, INK, placeOf, prefixedShelf } from './shared'

const SERVER = (import.meta.env.VITE_SERVER as string | undefined) ?? 'http://127.0.0.1:8000'

/** WeChat's own calls that uni's types do not know. */
interface Wx {
  env: { USER_DATA_PATH: string }
  getRandomValues(options: {
    length: number
    success(answer: { randomValues: ArrayBuffer }): void
    fail(error: unknown): void
  }): void
  chooseMessageFile(options: {
    count: number
    type: string
    extension: string[]
    success(answer: { tempFiles: { name: string; path: string; size: number }[] }): void
    fail(): void
  }): void
  openDocument(options: { filePath: string }): void
}
declare const wx: Wx

const fs = () => uni.getFileSystemManager()
const kept = (id: string) => `${wx.env.USER_DATA_PATH}/${id.replace(/[^\w.-]/g, '_')}`
const MIMES: Record<string, string> = {
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  png: 'image/png',
  pdf: 'application/pdf',
}
const mimeOf = (name: string) => MIMES[name.split('.').pop()?.toLowerCase() ?? ''] ?? 'application/octet-stream'
const nameOf = (path: string) => path.split('/').pop() ?? 'file'

function settled<T>(start: (success: (value: T) => void, fail: (error: unknown) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => start(resolve, (error) => reject(new Error(JSON.stringify(error)))))
}

export const simulated = { handset: () => null, place: () => null, playing: () => '' }

export const face: Face = {
  name: 'mp-weixin',
  begin: () => undefined,
  handset: '',
  canSignIn: true,
  shelf: prefixedShelf('yirong/'),

  files: {
    put: (id: string, file: PickedFile) =>
      settled<void>((success, fail) =>
        fs().copyFile({ srcPath: String(file.content), destPath: kept(id), success: () => success(), fail }),
      ),
    read: (id, offset, length) =>
      settled<ArrayBuffer>((success, fail) =>
        fs().readFile({
          filePath: kept(id),
          position: offset,
          length,
          success: (answer) => success(answer.data as ArrayBuffer),
          fail,
        }),
      ),
    // A file that is already gone is what was asked for.
    remove: (id) =>
      new Promise((resolve) => fs().unlink({ filePath: kept(id), success: () => resolve(), fail: () => resolve() })),
    url: (id) =>
      new Promise((resolve) =>
        fs().access({ path: kept(id), success: () => resolve(kept(id)), fail: () => resolve(null) }),
      ),
  },

  loginCode: () =>
    settled<string>((success, fail) =>
      uni.login({ provider: 'weixin', success: (answer) => success(answer.code), fail }),
    ),

  locate: () =>
    new Promise((resolve, reject) =>
      uni.getLocation({
        type: 'gcj02',
        isHighAccuracy: true,
        success: (fix) =>
          resolve(
            placeOf(
              { latitude: fix.latitude, longitude: fix.longitude, accuracy_m: fix.accuracy },
              { datum: 'gcj02', precision_class: 'precise', age_s: 0 },
            ),
          ),
        fail: (error: { errMsg?: string }) =>
          reject(new NoPlace(/auth|deny|privacy/i.test(error.errMsg ?? '') ? 'refused' : 'unavailable')),
      }),
    ),

  pickPhotos: (source, most) =>
    new Promise((resolve) =>
      uni.chooseImage({
        count: most,
        sizeType: ['original'],
        sourceType: [source],
        success: (answer) =>
          resolve(
            (answer.tempFiles as { path: string; size: number }[]).map((file) => ({
              name: nameOf(file.path),
              mime: mimeOf(file.path),
              size: file.size,
              source,
              captured_at: source === 'camera' ? new Date().toISOString() : null,
              content: file.path,
            })),
          ),
        fail: () => resolve([]),
      }),
    ),

  pickDocument: () =>
    new Promise((resolve) =>
      wx.chooseMessageFile({
        count: 1,
        type: 'file',
        extension: ['jpg', 'jpeg', 'png', 'pdf'],
        success: ({ tempFiles: [file] }) =>
          resolve({
            name: file.name,
            mime: mimeOf(file.name),
            size: file.size,
            source: 'file',
            captured_at: null,
            content: file.path,
          }),
        fail: () => resolve(null),
      }),
    ),

  ink(canvasId, owner, strokes) {
    const pen = uni.createCanvasContext(canvasId, owner as never)
    pen.setStrokeStyle(INK.colour)
    pen.setLineWidth(INK.width)
    pen.setLineCap('round')
    pen.setLineJoin('round')
    for (const [first, ...rest] of strokes) {
      pen.beginPath()
      pen.moveTo(first.x, first.y)
      for (const point of rest) pen.lineTo(point.x, point.y)
      pen.stroke()
    }
    pen.draw(false)
  },

  async drawing(canvasId, owner) {
    const path = await settled<string>((success, fail) =>
      uni.canvasToTempFilePath(
        { canvasId, fileType: 'png', success: (answer) => success(answer.tempFilePath), fail },
        owner as never,
      ),
    )
    const size = await settled<number>((success, fail) =>
      fs().getFileInfo({ filePath: path, success: (answer) => success(answer.size ?? 0), fail }),
    )
    return {
      name: 'signature.png',
      mime: 'image/png',
      size,
      source: 'camera',
      captured_at: new Date().toISOString(),
      content: path,
    }
  },

  random: (length) =>
    settled<Uint8Array>((success, fail) =>
      wx.getRandomValues({ length, success: (answer) => success(new Uint8Array(answer.randomValues)), fail }),
    ),

  device() {
    const facts = uni.getSystemInfoSync()
    return {
      model: facts.model,
      system: facts.system,
      platform: 'mp-weixin',
      sdk_version: (facts as { SDKVersion?: string }).SDKVersion ?? '',
    }
  },

  networkType: () =>
    new Promise((resolve) =>
      uni.getNetworkType({ success: (answer) => resolve(answer.networkType), fail: () => resolve('unknown') }),
    ),

  onNetwork: (heard) => void uni.onNetworkStatusChange((change) => heard(change.isConnected)),
  systemLanguage: () => uni.getSystemInfoSync().language ?? '',
  request: (call) => httpCall(SERVER, call),

  wire(path: string, events: WireEvents): Wire {
    const task = uni.connectSocket({ url: SERVER.replace(/^http/, 'ws') + path, complete: () => undefined })
    task.onOpen(() => events.open())
    task.onMessage((message) => events.message(String(message.data)))
    task.onClose((closing: { code?: number }) => events.closed(closing.code ?? 1006))
    task.onError(() => task.close({}))
    return { send: (text) => void task.send({ data: text }), close: () => task.close({}) }
  },

  alone: (work) => work(),

  async show(bytes, mime, name) {
    const path = `${wx.env.USER_DATA_PATH}/shown.${name.split('.').pop() ?? 'jpg'}`
    await settled<void>((success, fail) =>
      fs().writeFile({ filePath: path, data: bytes, success: () => success(), fail }),
    )
    if (mime.startsWith('image/')) return path
    wx.openDocument({ filePath: path })
    return null
  },

  openAddress: (path) =>
    // A mini-program opens no web page: the address is handed over to be pasted.
    void uni.setClipboardData({ data: SERVER + path }),
}
