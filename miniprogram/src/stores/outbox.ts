import { computed, ref } from 'vue'
import { face } from '@/platform'
import { uuid7 } from '@/signer/uuid7'
import { isPending, isSettled, type NewItem, type QueueItem } from '@/queue/item'
import { Queue } from '@/queue/queue'
import { client, now, onSignedIn, session } from './session'

export const items = ref<QueueItem[]>([])
export const online = ref(true)

export const queue = new Queue({
  shelf: face.shelf,
  files: face.files,
  client,
  member: () => session.value?.member.id ?? null,
  alone: (work) => face.alone(work),
  now: () => Date.now(),
  changed: (changed) => {
    items.value = changed
  },
})

export const pending = computed(() => items.value.filter(isPending))
/** Changes whenever the server has taken one more write: what is shown may be older than that. */
export const settledMark = computed(() =>
  items.value
    .filter(isSettled)
    .map((item) => item.id)
    .join(),
)

let timer: ReturnType<typeof setTimeout> | null = null

/** Sends what is due now, and wakes again when the next item is. */
export async function flush(): Promise<void> {
  if (timer) clearTimeout(timer)
  timer = null
  if (!session.value) return
  await queue.pump()
  const wait = queue.nextIn()
  if (wait !== null && timer === null) timer = setTimeout(() => void flush(), Math.max(250, wait))
}

export const newId = async (): Promise<string> => uuid7(now(), await face.random(10))

/** Puts a write on the queue and starts sending. It is safe on the phone when this returns. */
export function submit(item: Omit<NewItem, 'member'>): QueueItem {
  const member = session.value?.member.id
  if (!member) throw new Error('nobody is signed in')
  const added = queue.add({ ...item, member })
  void flush()
  return added
}

export function startOutbox(): void {
  items.value = queue.items()
  onSignedIn(() => void flush())
  face.onNetwork((connected) => {
    online.value = connected
    if (!connected) return
    queue.hurry()
    void flush()
  })
  void face.networkType().then((type) => {
    online.value = type !== 'none'
  })
}
