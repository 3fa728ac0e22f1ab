import { beforeEach, describe, expect, it } from 'vitest'
import { Client } from '@/api/client'
import { backoff } from '@/queue/backoff'
import { badge, type QueuedFile, share } from '@/queue/item'
import { Queue } from '@/queue/queue'
import { memoryFiles, memoryShelf, type Route, scripted } from './memory'

const ANCHOR = { event: 'evt_1', state: 'waiting', chain: 'supply', index: null, proof_url: null }
const MB = 1024 * 1024

function photo(id: string, size: number): QueuedFile {
  return {
    id,
    sha256: 'a'.repeat(64),
    size,
    filename: 'p.jpg',
    mime: 'image/jpeg',
    source: 'camera',
    captured_at: null,
    kind: 'photo',
    upload: null,
    sent: 0,
  }
}

const voucher = (id: string, files: QueuedFile[] = []) => ({
  id,
  kind: 'voucher' as const,
  member: 'mem_1',
  title: { zh: '照片', en: 'Photo' },
  subject: 'ord_1',
  path: '/vouchers/',
  body: { kind: 'photo', subject: 'ord_1' },
  files,
  uploads: 'one' as const,
})

interface Kept {
  id: string
  size: number
  got: number
  failed: boolean
}

/** A server that takes uploads and vouchers as the API says, idempotent by key: a repeat is answered as the first time. */
function server() {
  const uploads = new Map<string, Kept>()
  const answers = new Map<string, string>()
  const written: string[] = []
  const shown = ({ id, size, got, failed }: Kept) => ({
    id,
    offset: got,
    size,
    chunk_size: MB,
    state: failed ? 'FAILED' : got === size ? 'COMPLETE' : 'OPEN',
  })
  const routes: Route[] = [
    (call) => {
      if (call.method !== 'POST' || call.path !== '/api/v1/uploads/') return undefined
      const key = call.headers['Idempotency-Key']
      const size = JSON.parse(String(call.body)).size
      const upload = uploads.get(key) ?? { id: `upl_${uploads.size}`, size, got: 0, failed: false }
      uploads.set(key, upload)
      return { status: 201, body: shown({ ...upload, got: 0, failed: false }) }
    },
    (call) => {
      const [, id] = call.path.match(/^\/api\/v1\/uploads\/(\w+)\/$/) ?? []
      const upload = [...uploads.values()].find((one) => one.id === id)
      return upload && { body: shown(upload) }
    },
    (call) => {
      const [, id, at] = call.path.match(/^\/api\/v1\/uploads\/(\w+)\/parts\/(\d+)$/) ?? []
      const upload = [...uploads.values()].find((one) => one.id === id)
      if (!upload) return undefined
      if (upload.failed) return { status: 409, body: { code: 'upload-failed' } }
      if (Number(at) !== upload.got) return { status: 409, body: { code: 'upload-offset', offset: upload.got } }
      upload.got += (call.body as ArrayBuffer).byteLength
      return { body: shown(upload) }
    },
    (call) => {
      if (call.method !== 'POST') return undefined
      const key = call.headers['Idempotency-Key']
      const known = answers.get(key)
      if (known && known !== String(call.body)) return { status: 409, body: { code: 'idempotency-mismatch' } }
      if (!known) written.push(call.path + String(call.body))
      answers.set(key, String(call.body))
      return {
        status: 201,
        headers: { 'idempotent-replay': String(Boolean(known)) },
        body: { id: `made_${key}`, anchor: ANCHOR },
      }
    },
  ]
  return { uploads, written, routes }
}

let clock = 1_000_000
let member: string | null = 'mem_1'
let rows: Map<string, string>
let files: ReturnType<typeof memoryFiles>

function phone(routes: Route[]) {
  const { calls, request } = scripted(routes)
  const client = new Client(request, { token: () => 't', renew: async () => undefined, language: () => 'en' })
  const queue = new Queue({
    shelf: memoryShelf(rows),
    files,
    client,
    member: () => member,
    alone: (work) => work(),
    now: () => clock,
    changed: () => undefined,
    random: () => 0.5,
  })
  return { queue, calls }
}

beforeEach(() => {
  rows = new Map()
  files = memoryFiles({ f1: new Uint8Array(2 * MB + 100), f2: new Uint8Array(10) })
  member = 'mem_1'
  clock = 1_000_000
})

describe('the write queue', () => {
  it('sends a write once and keeps its result', async () => {
    const { routes, written } = server()
    const { queue } = phone(routes)
    queue.add(voucher('e1', [photo('f1', 2 * MB + 100)]))
    await queue.pump()
    expect(queue.item('e1')).toMatchObject({ state: 'accepted', result: { id: 'made_e1', anchor: ANCHOR } })
    expect(written).toHaveLength(1)
    expect(files.files.f1).toBeUndefined()
    expect(share(queue.item('e1')!)).toBe(1)
  })

  it('treats the same client_event_id as the same write, and says that it was there already', async () => {
    const { routes, written } = server()
    const first = phone(routes)
    first.queue.add(voucher('e1', [photo('f2', 10)]))
    expect(first.queue.add({ ...voucher('e1'), body: { kind: 'other' } }).body).toEqual({
      kind: 'photo',
      subject: 'ord_1',
    })
    await first.queue.pump()
    // The answer was lost: the phone restarts with the item still waiting.
    rows.set('queue/e1', JSON.stringify({ ...first.queue.item('e1'), state: 'sending', result: null }))
    files.files.f2 = new Uint8Array(10)
    const second = phone(routes)
    await second.queue.pump()
    expect(second.queue.item('e1')?.state).toBe('duplicate')
    expect(written).toHaveLength(1)
  })

  it('resumes where the server says after 409 upload-offset', async () => {
    const { routes, uploads } = server()
    let cut = true
    const { queue, calls } = phone([
      (call) => {
        // The second part arrives, its answer does not.
        if (!cut || !call.path.endsWith(`/parts/${MB}`)) return undefined
        cut = false
        const [upload] = uploads.values()
        upload.got = 2 * MB
        return { status: 0 }
      },
      (call) =>
        call.method === 'GET' && call.path.includes('/uploads/') && clock < 2_000_000
          ? { body: { id: 'upl_0', offset: MB, size: 2 * MB + 100, chunk_size: MB, state: 'OPEN' } }
          : undefined,
      ...routes,
    ])
    queue.add(voucher('e1', [photo('f1', 2 * MB + 100)]))
    await queue.pump()
    expect(queue.item('e1')).toMatchObject({ state: 'waiting', attempts: 1, problem: { code: 'offline' } })
    clock += 10_000
    await queue.pump()
    expect(queue.item('e1')?.state).toBe('accepted')
    const parts = calls.filter((call) => call.method === 'PUT').map((call) => call.path.split('/').pop())
    expect(parts).toEqual(['0', String(MB), String(MB), String(2 * MB)])
  })

  it('does not loop when the server answers with the offset it was sent', async () => {
    const { routes } = server()
    const { queue, calls } = phone([
      (call) => (call.method === 'PUT' ? { status: 409, body: { code: 'upload-offset', offset: 0 } } : undefined),
      ...routes,
    ])
    queue.add(voucher('e1', [photo('f2', 10)]))
    await queue.pump()
    expect(queue.item('e1')).toMatchObject({ state: 'rejected', problem: { code: 'upload-offset' } })
    expect(calls.filter((call) => call.method === 'PUT')).toHaveLength(1)
  })

  describe('when an upload comes to nothing', () => {
    /** One part is up, and the network is gone; then the server does what it does in between. */
    async function interrupted(routes: Route[]) {
      let cut = true
      const { queue, calls } = phone([
        (call) => (cut && call.path.endsWith(`/parts/${MB}`) ? { status: 0 } : undefined),
        ...routes,
      ])
      queue.add(voucher('e1', [photo('f1', 2 * MB + 100)]))
      await queue.pump()
      expect(queue.item('e1')).toMatchObject({ state: 'waiting', problem: { code: 'offline' } })
      cut = false
      clock += 3 * 24 * 3600_000
      return { queue, calls }
    }

    it('begins it anew under another key after the server gave it up', async () => {
      const { routes, uploads, written } = server()
      const { queue } = await interrupted(routes)
      uploads.get('e1-f0')!.failed = true
      await queue.pump()
      expect(queue.item('e1')?.state).toBe('accepted')
      expect([...uploads.keys()]).toEqual(['e1-f0', 'e1-f0-2'])
      expect(uploads.get('e1-f0-2')).toMatchObject({ got: 2 * MB + 100, failed: false })
      expect(written).toEqual(['/api/v1/vouchers/{"kind":"photo","subject":"ord_1","upload":"upl_1"}'])
      expect(share(queue.item('e1')!)).toBe(1)
    })

    it('begins it anew when the server knows nothing of it any more', async () => {
      const { routes, uploads } = server()
      let lost = ''
      const { queue } = await interrupted([
        (call) => (lost && call.path.includes(lost) ? { status: 404, body: { code: 'not-found' } } : undefined),
        ...routes,
      ])
      lost = uploads.get('e1-f0')!.id
      await queue.pump()
      expect(queue.item('e1')?.state).toBe('accepted')
      expect([...uploads.keys()]).toEqual(['e1-f0', 'e1-f0-2'])
    })

    it('sends everything again when the server lost a part', async () => {
      const { routes, uploads } = server()
      const { queue, calls } = await interrupted([
        (call) => {
          const first = uploads.get('e1-f0')
          if (!first || !call.path.endsWith(`/${first.id}/parts/${2 * MB}`)) return undefined
          first.failed = true
          return { status: 422, body: { code: 'digest-mismatch' } }
        },
        ...routes,
      ])
      await queue.pump()
      expect(queue.item('e1')?.state).toBe('accepted')
      const sent = calls.filter((call) => call.method === 'PUT' && call.path.includes(uploads.get('e1-f0-2')!.id))
      expect(sent.map((call) => call.path.split('/').pop())).toEqual(['0', String(MB), String(2 * MB)])
    })

    it('does not trust the stored answer to a key whose upload has ended since', async () => {
      const { routes, uploads } = server()
      const { queue } = await interrupted(routes)
      uploads.get('e1-f0')!.failed = true
      // The phone was cut off before it had kept the upload's number.
      const item = queue.item('e1')!
      rows.set('queue/e1', JSON.stringify({ ...item, files: [{ ...item.files[0], upload: null, sent: 0 }] }))
      await queue.pump()
      expect(queue.item('e1')?.state).toBe('accepted')
    })

    it('asks the person after three, and begins a new one when told to try again', async () => {
      const { routes, uploads, written } = server()
      let broken = true
      const { queue } = phone([
        (call) =>
          broken && call.method === 'PUT' ? { status: 422, body: { code: 'digest-mismatch', title: 'T' } } : undefined,
        ...routes,
      ])
      queue.add(voucher('e1', [photo('f2', 10)]))
      await queue.pump()
      expect(queue.item('e1')).toMatchObject({ state: 'rejected', problem: { code: 'digest-mismatch', title: 'T' } })
      expect([...uploads.keys()]).toEqual(['e1-f0', 'e1-f0-2', 'e1-f0-3'])
      expect(written).toEqual([])
      expect(files.files.f2).toBeDefined()
      broken = false
      queue.retry('e1')
      await queue.pump()
      expect(queue.item('e1')?.state).toBe('accepted')
      expect([...uploads.keys()].pop()).toBe('e1-f0-4')
    })

    it('does not send again what the server has looked at and refused', async () => {
      const { routes, uploads } = server()
      const { queue } = phone([
        (call) => (call.method === 'PUT' ? { status: 422, body: { code: 'image-unreadable' } } : undefined),
        ...routes,
      ])
      queue.add(voucher('e1', [photo('f2', 10)]))
      await queue.pump()
      expect(queue.item('e1')).toMatchObject({ state: 'rejected', problem: { code: 'image-unreadable' } })
      expect(uploads.size).toBe(1)
    })
  })

  it('goes on after a restart with nothing but the storage', async () => {
    phone([() => ({ status: 0 })]).queue.add(voucher('e1', [photo('f1', 2 * MB + 100)]))
    const { routes } = server()
    const restarted = phone(routes)
    expect(restarted.queue.items().map((item) => item.id)).toEqual(['e1'])
    await restarted.queue.pump()
    expect(restarted.queue.item('e1')?.state).toBe('accepted')
  })

  it('waits longer after each failure, as long as the server asks, and no longer than a minute', async () => {
    const { queue } = phone([() => ({ status: 503, body: { code: 'wechat-busy' }, headers: { 'retry-after': '30' } })])
    queue.add(voucher('e1'))
    await queue.pump()
    expect(queue.item('e1')).toMatchObject({ state: 'waiting', attempts: 1 })
    expect(queue.nextIn()).toBe(30_000)
    await queue.pump()
    expect(queue.item('e1')?.attempts).toBe(1)
    clock += 30_000
    await queue.pump()
    expect(queue.item('e1')?.attempts).toBe(2)
    queue.hurry()
    expect(queue.nextIn()).toBe(0)
    expect([1, 2, 3, 4, 5, 6, 20].map((attempts) => backoff(attempts, () => 1))).toEqual([
      2000, 4000, 8000, 16000, 32000, 60000, 60000,
    ])
    expect(backoff(3, () => 0)).toBe(4000)
  })

  it('keeps a refusal with the server’s words until the person decides', async () => {
    const problem = {
      code: 'wrong-state',
      title: 'T',
      detail: 'Closed',
      errors: [{ field: 'subject', code: 'x', detail: 'd' }],
    }
    const { routes } = server()
    let refuse = true
    const { queue } = phone([
      (call) => (refuse && call.path === '/api/v1/vouchers/' ? { status: 409, body: problem } : undefined),
      ...routes,
    ])
    queue.add(voucher('e1', [photo('f2', 10)]))
    await queue.pump()
    expect(queue.item('e1')).toMatchObject({ state: 'rejected', problem: { status: 409, ...problem } })
    expect(files.files.f2).toBeDefined()
    expect(badge(queue.item('e1')!).key).toBe('refused')
    refuse = false
    queue.retry('e1')
    await queue.pump()
    expect(queue.item('e1')?.state).toBe('accepted')
  })

  it('does not let a waiting item be deleted, and takes the files along with a refused one', async () => {
    const { routes } = server()
    const { queue } = phone([
      (call) => (call.path === '/api/v1/vouchers/' ? { status: 422, body: {} } : undefined),
      ...routes,
    ])
    queue.add(voucher('e1', [photo('f2', 10)]))
    await queue.dismiss('e1')
    expect(queue.item('e1')?.state).toBe('waiting')
    await queue.pump()
    await queue.dismiss('e1')
    expect(queue.item('e1')).toBeNull()
    expect(files.files.f2).toBeUndefined()
  })

  it('sends a dependent write after the one it names, with its id', async () => {
    const { routes, written } = server()
    let down = true
    const { queue } = phone([
      (call) => (down && call.path === '/api/v1/despatches/' ? { status: 0 } : undefined),
      ...routes,
    ])
    queue.add({ ...voucher('e1'), kind: 'despatch', path: '/despatches/', body: { order: 'ord_1' }, uploads: 'none' })
    queue.add({ ...voucher('e2', [photo('f2', 10)]), body: { kind: 'photo', subject: '{after}' }, after: 'e1' })
    await queue.pump()
    expect(queue.item('e2')).toMatchObject({ state: 'waiting', attempts: 0 })
    down = false
    clock += 60_000
    await queue.pump()
    expect(queue.item('e2')?.state).toBe('accepted')
    expect(written[1]).toContain('"subject":"made_e1"')
  })

  it('leaves another person’s writes until they sign in on this handset', async () => {
    const { routes } = server()
    const { queue, calls } = phone(routes)
    queue.add({ ...voucher('e1'), uploads: 'none' })
    member = 'mem_2'
    await queue.pump()
    expect(calls).toHaveLength(0)
    expect(queue.nextIn()).toBeNull()
    member = 'mem_1'
    await queue.pump()
    expect(queue.item('e1')?.state).toBe('accepted')
  })

  it('says that a file is gone instead of trying for ever', async () => {
    const { routes } = server()
    const { queue } = phone(routes)
    queue.add(voucher('e1', [photo('nowhere', 10)]))
    await queue.pump()
    expect(queue.item('e1')).toMatchObject({ state: 'rejected', problem: { code: 'file-gone' } })
  })

  it('shows the place in the ledger once it is told', async () => {
    const { routes } = server()
    const { queue } = phone(routes)
    queue.add({ ...voucher('e1'), uploads: 'none' })
    expect(badge(queue.item('e1')!).key).toBe('syncing')
    await queue.pump()
    expect(badge(queue.item('e1')!).key).toBe('waiting')
    queue.anchored('evt_1', { state: 'on_chain', index: 7 })
    expect(badge(queue.item('e1')!)).toEqual({ key: 'onChain', index: 7 })
  })

  it('keeps the thirty newest settled writes', async () => {
    const { routes } = server()
    const { queue } = phone(routes)
    for (let n = 0; n < 35; n++) {
      clock += 1
      queue.add({ ...voucher(`e${n}`), uploads: 'none' })
    }
    await queue.pump()
    expect(queue.items()).toHaveLength(30)
    expect(queue.item('e4')).toBeNull()
    expect(queue.item('e5')?.state).toBe('accepted')
  })
})

describe('the client', () => {
  it('signs in again once when the token is refused, and repeats the same request', async () => {
    let token = 'old'
    const renewed: (string | null)[] = []
    const { calls, request } = scripted([
      (call) =>
        call.headers.Authorization === 'Token old' ? { status: 401, body: {} } : { status: 201, body: { id: 'x' } },
    ])
    const client = new Client(request, {
      token: () => token,
      renew: async (spent) => {
        renewed.push(spent)
        token = 'new'
      },
      language: () => 'en',
    })
    expect((await client.write<{ id: string }>('/vouchers/', { a: 1 }, 'k1')).body.id).toBe('x')
    expect(renewed).toEqual(['old'])
    expect(calls.map((call) => call.headers['Idempotency-Key'])).toEqual(['k1', 'k1'])
  })
  it('gives up when the new token is refused too', async () => {
    const { request } = scripted([() => ({ status: 401, body: { code: 'not-authenticated' } })])
    const client = new Client(request, { token: () => 't', renew: async () => undefined, language: () => 'en' })
    await expect(client.get('/tasks/')).rejects.toMatchObject({ status: 401, code: 'not-authenticated' })
  })
})
