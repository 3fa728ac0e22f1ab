import { watch } from 'vue'
import { face, type Wire } from '@/platform'
import type { Anchor } from '@/api/types'
import { isSettled, type QueueItem } from '@/queue/item'
import { backoff } from '@/queue/backoff'
import { client, currentToken, onSignedIn, session, signIn } from './session'
import { items, queue, settledMark } from './outbox'

export interface Push {
  kind: string
  [id: string]: unknown
}

const REVOKED = 4401
const PING_MS = 25_000
const listeners = new Set<(push: Push) => void>()
let wire: Wire | null = null
let attempts = 0
let ping: ReturnType<typeof setInterval> | null = null
let again: ReturnType<typeof setTimeout> | null = null

/** Hears every push until the returned function is called. `resync` comes after each (re)connection. */
export function onPush(heard: (push: Push) => void): () => void {
  listeners.add(heard)
  return () => void listeners.delete(heard)
}

function tell(push: Push): void {
  const event = typeof push.event === 'string' ? push.event : null
  if (event && (push.kind === 'event.on_chain' || push.kind === 'event.anchored'))
    queue.anchored(event, {
      state: push.kind === 'event.anchored' ? 'anchored' : 'on_chain',
      ...(typeof push.index === 'number' ? { index: push.index } : {}),
    })
  for (const heard of listeners) heard(push)
}

/** Pushes are sent at most once: what was missed while away is asked for. */
export async function catchUp(): Promise<void> {
  for (const item of items.value) {
    const anchor = item.result?.anchor
    if (!isSettled(item) || !anchor || anchor.state === 'anchored' || !isMine(item)) continue
    // The next reconnection asks again.
    const event = await client.get<{ anchor: Anchor }>(`/events/${anchor.event}/`).catch(() => null)
    if (event) queue.anchored(anchor.event, event.anchor)
  }
}

const LATER_MS = 4_000
let later: ReturnType<typeof setTimeout> | null = null

const isMine = (item: QueueItem) => item.member === session.value?.member.id

/** A push may come before the answer it speaks of, or not at all: while something waits for the ledger, it is asked for. */
function catchUpLater(): void {
  if (later) clearTimeout(later)
  later = null
  if (!items.value.some((item) => isMine(item) && item.result?.anchor?.state === 'waiting')) return
  later = setTimeout(() => void catchUp().finally(catchUpLater), LATER_MS)
}

function opened(): void {
  wire?.send(JSON.stringify({ type: 'authenticate', token: currentToken() }))
  if (ping) clearInterval(ping)
  ping = setInterval(() => wire?.send(JSON.stringify({ type: 'ping' })), PING_MS)
}

function heard(text: string): void {
  const message = JSON.parse(text) as Push & { type: string }
  if (message.type === 'ready') {
    attempts = 0
    void catchUp()
    tell({ kind: 'resync' })
  }
  if (message.type === 'push') tell(message)
}

function closed(code: number): void {
  if (ping) clearInterval(ping)
  wire = null
  if (!session.value) return
  attempts += 1
  if (again) clearTimeout(again)
  again = setTimeout(() => {
    // A refused token is renewed; signing in connects again by itself.
    if (code === REVOKED) void signIn().catch(() => closed(1006))
    else connect()
  }, backoff(attempts))
}

function connect(): void {
  if (again) clearTimeout(again)
  const previous = wire
  wire = null
  previous?.close()
  if (!session.value) return
  const opening = face.wire('/ws/live/', {
    open: () => wire === opening && opened(),
    message: (text) => wire === opening && heard(text),
    closed: (code) => wire === opening && closed(code),
  })
  wire = opening
}

export function startLive(): void {
  watch(settledMark, catchUpLater)
  onSignedIn(connect)
  // A wire from before the network went may be dead without having said so. The new one's `resync` shows what was missed.
  face.onNetwork((connected) => {
    if (connected) connect()
  })
}
