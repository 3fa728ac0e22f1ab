import type { FileShelf, PickedFile } from './face'

const STORE = 'files'

function database(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open('yirong-phone', 1)
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE)
    opening.onsuccess = () => resolve(opening.result)
    opening.onerror = () => reject(opening.error)
  })
}

async function run<T>(mode: IDBTransactionMode, ask: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const db = await database()
  try {
    return await new Promise<T>((resolve, reject) => {
      const transaction = db.transaction(STORE, mode)
      const request = ask(transaction.objectStore(STORE))
      transaction.oncomplete = () => resolve(request.result)
      transaction.onerror = () => reject(transaction.error)
      transaction.onabort = () => reject(transaction.error)
    })
  } finally {
    db.close()
  }
}

/** Files in IndexedDB, below one prefix; a write has reached the disk when `put` resolves. */
export function indexedFiles(prefix: string): FileShelf {
  const blob = (id: string) => run<Blob | undefined>('readonly', (store) => store.get(prefix + id))
  return {
    async put(id: string, file: PickedFile) {
      await run('readwrite', (store) => store.put(file.content as Blob, prefix + id))
    },
    async read(id, offset, length) {
      const content = await blob(id)
      if (!content) throw new Error(`file ${id} is gone`)
      return content.slice(offset, offset + length).arrayBuffer()
    },
    async remove(id) {
      await run('readwrite', (store) => store.delete(prefix + id))
    },
    async url(id) {
      const content = await blob(id)
      return content ? URL.createObjectURL(content) : null
    },
  }
}
