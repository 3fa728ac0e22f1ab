import { type Face, NoPlace, type PickedFile, type Place, type Wire, type WireEvents } from './face'
import { fetchDemoCode, type Handset, type HandsetPlace } from './handsets'
import { indexedFiles } from './h5-files'
import { keepReachable } from './h5-reach'
import { httpCall, INK, placeOf, prefixedShelf } from './shared'

const IMAGES = 'image/jpeg,image/png'
const query = typeof location === 'undefined' ? '' : location.search
const handset = new URLSearchParams(query).get('handset')?.replace(/[^a-z0-9-]/gi, '') ?? ''
const prefix = `yirong/${handset}/`
const shelf = prefixedShelf(prefix)

/** Where the simulated handset is, and who is played on it: set on the strip at the top of each page. */
export const simulated = {
  handset: (): Handset | null => shelf.get<Handset>('demo/handset'),
  place: (): HandsetPlace | null => shelf.get<HandsetPlace>('demo/place') ?? simulated.handset()?.place ?? null,
  playing: (): string => shelf.get<string>('demo/playing') ?? handset,
}

const canvasOf = (id: string) => document.querySelector<HTMLCanvasElement>(`canvas#${id}`)

function pick(options: { accept: string; capture?: boolean; many?: boolean }): Promise<File[]> {
  return new Promise((resolve) => {
    const input = document.createElement('input')
    input.type = 'file'
    input.accept = options.accept
    input.multiple = Boolean(options.many)
    if (options.capture) input.setAttribute('capture', 'environment')
    input.style.display = 'none'
    const done = (files: File[]) => {
      input.remove()
      resolve(files)
    }
    input.addEventListener('change', () => done(Array.from(input.files ?? [])))
    input.addEventListener('cancel', () => done([]))
    document.body.appendChild(input)
    input.click()
  })
}

const picked = (file: File, source: PickedFile['source']): PickedFile => ({
  name: file.name,
  mime: file.type,
  size: file.size,
  source,
  captured_at: source === 'camera' ? new Date().toISOString() : null,
  content: file,
})

function realPlace(): Promise<Place> {
  return new Promise((resolve, reject) => {
    if (!navigator.geolocation) return reject(new NoPlace('unavailable'))
    navigator.geolocation.getCurrentPosition(
      ({ coords, timestamp }) =>
        resolve(
          placeOf(
            { latitude: coords.latitude, longitude: coords.longitude, accuracy_m: coords.accuracy },
            {
              datum: 'wgs84',
              precision_class: 'precise',
              age_s: Math.max(0, Math.round((Date.now() - timestamp) / 1000)),
            },
          ),
        ),
      (error) => reject(new NoPlace(error.code === error.PERMISSION_DENIED ? 'refused' : 'unavailable')),
      { enableHighAccuracy: true, timeout: 15000, maximumAge: 60000 },
    )
  })
}

export const face: Face = {
  name: 'h5',
  begin: keepReachable,
  handset,
  canSignIn: handset !== '',
  shelf,
  files: indexedFiles(prefix),
  loginCode: () => fetchDemoCode(handset, simulated.playing()),

  async locate() {
    const place = simulated.place()
    if (!handset) return realPlace()
    if (!place) throw new NoPlace('unavailable')
    return placeOf(
      { latitude: Number(place.latitude), longitude: Number(place.longitude), accuracy_m: place.accuracy_m },
      { datum: 'wgs84', precision_class: 'precise', age_s: 0 },
    )
  },

  async pickPhotos(source, most) {
    const files = await pick({ accept: IMAGES, capture: source === 'camera', many: source === 'album' })
    return files.slice(0, most).map((file) => picked(file, source))
  },

  async pickDocument() {
    const [file] = await pick({ accept: `${IMAGES},application/pdf` })
    return file ? picked(file, 'file') : null
  },

  ink(canvasId, _owner, strokes) {
    const canvas = canvasOf(canvasId)
    const pen = canvas?.getContext('2d')
    if (!canvas || !pen) return
    // One canvas pixel a device pixel; setting the width clears what was there.
    const ratio = window.devicePixelRatio || 1
    const { width, height } = canvas.getBoundingClientRect()
    canvas.width = Math.round(width * ratio)
    canvas.height = Math.round(height * ratio)
    pen.setTransform(ratio, 0, 0, ratio, 0, 0)
    Object.assign(pen, { strokeStyle: INK.colour, lineWidth: INK.width, lineCap: 'round', lineJoin: 'round' })
    for (const [first, ...rest] of strokes) {
      pen.beginPath()
      pen.moveTo(first.x, first.y)
      for (const point of rest) pen.lineTo(point.x, point.y)
      pen.stroke()
    }
  },

  async drawing(canvasId) {
    const canvas = canvasOf(canvasId)
    const blob = await new Promise<Blob | null>((resolve) =>
      canvas ? canvas.toBlob(resolve, 'image/png') : resolve(null),
    )
    if (!blob) throw new Error('the drawing could not be read')
    const captured_at = new Date().toISOString()
    return { name: 'signature.png', mime: 'image/png', size: blob.size, source: 'camera', captured_at, content: blob }
  },

  async random(length) {
    return crypto.getRandomValues(new Uint8Array(length))
  },

  device() {
    const played = simulated.handset()?.device
    return {
      model: played?.model ?? 'browser',
      system: played?.system ?? navigator.platform,
      platform: 'h5',
      sdk_version: __UNI_VERSION__,
    }
  },

  async networkType() {
    if (!navigator.onLine) return 'none'
    const effective = (navigator as Navigator & { connection?: { effectiveType?: string } }).connection?.effectiveType
    return simulated.handset()?.network.type ?? effective ?? 'unknown'
  },

  onNetwork(heard) {
    window.addEventListener('online', () => heard(true))
    window.addEventListener('offline', () => heard(false))
  },

  systemLanguage: () => navigator.language,
  request: (call) => httpCall('', call),

  wire(path: string, events: WireEvents): Wire {
    const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}${path}`)
    socket.onopen = () => events.open()
    socket.onmessage = (event) => events.message(String(event.data))
    socket.onclose = (event) => events.closed(event.code)
    return {
      send: (text) => socket.readyState === WebSocket.OPEN && socket.send(text),
      close: () => socket.close(),
    }
  },

  async alone(work) {
    // navigator.locks needs a secure context; without it two tabs may both send, which idempotency makes harmless.
    if (!navigator.locks) return work()
    await navigator.locks.request(`${prefix}queue`, work)
  },

  async show(bytes, mime, name) {
    const address = URL.createObjectURL(new Blob([bytes], { type: mime }))
    if (mime.startsWith('image/')) return address
    const link = document.createElement('a')
    link.href = address
    link.download = name
    link.click()
    return null
  },

  openAddress: (path) => void window.open(path, '_blank', 'noopener'),
}
