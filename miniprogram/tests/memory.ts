import type { Answer, Call, FileShelf, Shelf } from '@/platform/face'

/** A shelf that keeps copies, as a real storage does. */
export function memoryShelf(rows = new Map<string, string>()): Shelf {
  return {
    get: <T>(key: string) => (rows.has(key) ? (JSON.parse(rows.get(key) as string) as T) : null),
    set: (key, value) => void rows.set(key, JSON.stringify(value)),
    remove: (key) => void rows.delete(key),
    keys: () => [...rows.keys()],
  }
}

export function memoryFiles(files: Record<string, Uint8Array> = {}): FileShelf & { files: Record<string, Uint8Array> } {
  return {
    files,
    async put(id, file) {
      files[id] = file.content as Uint8Array
    },
    async read(id, offset, length) {
      if (!files[id]) throw new Error('gone')
      return files[id].slice(offset, offset + length).buffer as ArrayBuffer
    },
    async remove(id) {
      delete files[id]
    },
    async url() {
      return null
    },
  }
}

export type Route = (call: Call) => Partial<Answer> | undefined

/** A server that answers by the first route that knows the call, and remembers every call. */
export function scripted(routes: Route[]) {
  const calls: Call[] = []
  const request = async (call: Call): Promise<Answer> => {
    calls.push(call)
    for (const route of routes) {
      const answer = route(call)
      if (answer) return { status: 200, headers: {}, body: null, ...answer }
    }
    throw new Error(`no route for ${call.method} ${call.path}`)
  }
  return { calls, request }
}
