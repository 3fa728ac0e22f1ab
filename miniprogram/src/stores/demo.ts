import { reactive } from 'vue'
import { face, simulated } from '@/platform'
import { fetchHandsets, type Handset, type HandsetPlace } from '@/platform/handsets'
import { language } from './language'
import { switchTo } from './session'

/** The demonstration around this page: its handset, where that is, who plays on it. Empty on a real phone. */
export const demo = reactive<{
  handsets: Handset[] | null
  mine: Handset | null
  place: HandsetPlace | null
  playing: string
  unknown: boolean
}>({
  handsets: null,
  mine: simulated.handset(),
  place: simulated.place(),
  playing: simulated.playing(),
  unknown: false,
})

/** Learns the demonstration's handsets. What was learned last serves when the server does not answer. */
export async function prepareHandset(): Promise<void> {
  if (face.name !== 'h5') return
  if (demo.mine) void learn()
  else await learn()
}

async function learn(): Promise<void> {
  demo.handsets = await fetchHandsets()
  if (!demo.handsets || !face.handset) return
  const mine = demo.handsets.find((handset) => handset.id === face.handset) ?? null
  demo.unknown = mine === null
  demo.mine = mine
  if (mine) face.shelf.set('demo/handset', mine)
  demo.place = simulated.place()
}

export function choosePlace(place: HandsetPlace): void {
  face.shelf.set('demo/place', place)
  demo.place = place
}

/** Someone signs in on this handset: its owner, or another person who has borrowed it. */
export async function choosePlayer(id: string): Promise<void> {
  face.shelf.set('demo/playing', id)
  demo.playing = id
  await switchTo()
}

export const playedBy = (id: string): Handset | null => demo.handsets?.find((handset) => handset.id === id) ?? null

/** The name of a handset's owner in the reader's language. */
export function ownerName(handset: Handset): string {
  const person = handset.person
  if (typeof person === 'string') return language.value === 'en' ? handset.label.en : handset.label.zh
  return language.value === 'en' ? person.name_en || person.name : person.name
}
