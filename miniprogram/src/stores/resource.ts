import { onHide, onShow, onUnload } from '@dcloudio/uni-app'
import { type Ref, ref, watch } from 'vue'
import { Problem } from '@/api/problem'
import { face } from '@/platform'
import { onPush, type Push } from './live'
import { settledMark } from './outbox'
import { client, session } from './session'

const CACHE = 'seen/'
const CACHED = 40

interface Seen<T> {
  at: number
  body: T
}

/** Keeps the newest answer of a page, so that it can be read, and signed, with no signal. */
function keep(key: string, body: unknown): void {
  const { shelf } = face
  shelf.set(CACHE + key, { at: Date.now(), body })
  const keys = shelf.keys().filter((name) => name.startsWith(CACHE))
  if (keys.length <= CACHED) return
  const aged = keys.map((name) => ({ name, at: shelf.get<Seen<unknown>>(name)?.at ?? 0 })).sort((a, b) => a.at - b.at)
  for (const { name } of aged.slice(0, keys.length - CACHED)) shelf.remove(name)
}

export function forgetSeen(): void {
  for (const key of face.shelf.keys()) if (key.startsWith(CACHE)) face.shelf.remove(key)
}

let ahead: Promise<void> = Promise.resolve()

/** Fetches ahead, one by one, what may be opened where there is no signal; what was seen before is not asked for again. */
export function foresee(addresses: string[]): void {
  for (const address of addresses) ahead = ahead.then(() => fetchAhead(address))
}

async function fetchAhead(address: string): Promise<void> {
  const member = session.value?.member.id
  const key = `${member}${address}`
  if (!member || face.shelf.get(CACHE + key)) return
  // Whoever opens the page asks again, and is told then what is wrong.
  const body = await client.get<unknown>(address).catch(() => null)
  if (body !== null && session.value?.member.id === member) keep(key, body)
}

export interface Resource<T> {
  data: Ref<T | null>
  problem: Ref<Problem | null>
  loading: Ref<boolean>
  /** The data is what was seen last; the server does not answer. */
  stale: Ref<boolean>
  reload(): Promise<void>
}

/**
 * One GET a page lives on: loaded when shown and signed in, loaded again on a push that `concerns` it, and read from what
 * was seen last while offline. `path` answers null as long as it is not known.
 */
export function useResource<T>(
  path: () => string | null,
  concerns: (push: Push) => boolean = () => false,
): Resource<T> {
  const data = ref<T | null>(null) as Ref<T | null>
  const problem = ref<Problem | null>(null)
  const loading = ref(false)
  const stale = ref(false)
  let asked = 0
  let shown = false

  async function reload(): Promise<void> {
    const address = path()
    const member = session.value?.member.id
    if (!address || !member) return
    const key = `${member}${address}`
    const mine = ++asked
    loading.value = data.value === null
    try {
      const body = await client.get<T>(address)
      if (mine !== asked) return
      data.value = body
      problem.value = null
      stale.value = false
      keep(key, body)
    } catch (error) {
      if (mine !== asked) return
      const found = error instanceof Problem ? error : new Problem(0, 'phone-fault', '', String(error))
      const seen = found.passing ? face.shelf.get<Seen<T>>(CACHE + key) : null
      if (seen && data.value === null) data.value = seen.body
      stale.value = found.passing && data.value !== null
      problem.value = stale.value ? null : found
    } finally {
      if (mine === asked) loading.value = false
    }
  }

  const stop = onPush((push) => {
    if (shown && (push.kind === 'resync' || concerns(push))) void reload()
  })
  watch(settledMark, () => {
    if (shown) void reload()
  })
  onShow(() => {
    shown = true
    void reload()
  })
  onHide(() => {
    shown = false
  })
  onUnload(stop)
  watch(
    () => session.value?.member.id,
    () => {
      data.value = null
      problem.value = null
      if (shown) void reload()
    },
  )
  return { data, problem, loading, stale, reload }
}
