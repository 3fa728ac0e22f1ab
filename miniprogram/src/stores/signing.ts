import type { Party, Signing } from '@/api/types'
import { face } from '@/platform'
import type { NewItem, QueuedFile } from '@/queue/item'
import { type Capture, checkDocument, signedAct, type Total } from '@/signer/act'
import { base64url } from '@/signer/bytes'
import type { Json } from '@/signer/jcs'
import { language } from './language'
import { newId, submit } from './outbox'
import { deviceKey, session, timestamp } from './session'

export type CaptureExtras = Pick<Capture, 'location' | 'location_refused' | 'consent'>
export const NO_PLACE: CaptureExtras = { location: null, location_refused: false, consent: null }

/** What surrounds an act: a nonce, the time, the network, the place if given, digests of the pictures taken. */
export async function newCapture(opened: string, extras: CaptureExtras, files: QueuedFile[] = []): Promise<Capture> {
  return {
    nonce: base64url(await face.random(32)),
    captured_at: timestamp(),
    network_type: await face.networkType(),
    ...extras,
    photos: files.filter((file) => file.kind !== 'signature').map((file) => file.sha256),
    drawing: files.find((file) => file.kind === 'signature')?.sha256 ?? null,
    opened_at: opened,
    handset: face.handset,
  }
}

export interface ToSign {
  signing: Signing
  path: string
  title: NewItem['title']
  /** As it was shown; its digest is taken here again. */
  document: { id: string; type: 'order' | 'despatch'; version: number; content: Json; digest: string }
  order: { buyer_uscc: string; order_no: string; version: number }
  counterparty: Party
  lines: Record<string, string>[]
  total: Total
  opened: string
  place?: CaptureExtras
  files?: QueuedFile[]
}

/** Signs what was shown and puts it on the queue. Throws DocumentDiffers when the document is not the one of its digest. */
export async function signAndQueue(act: ToSign) {
  const person = session.value
  if (!person) throw new Error('nobody is signed in')
  checkDocument(act.document.content, act.document.digest)
  const capture = await newCapture(act.opened, act.place ?? NO_PLACE, act.files)
  const { id, type, version, digest } = act.document
  const body = signedAct(
    {
      action: act.signing.action,
      origin: person.origin,
      client_event_id: await newId(),
      signer_member: person.member.id,
      signer_party: person.organisation.uscc,
      device_key_id: person.device.id,
      document: { id, type, version, digest },
      order: act.order,
      counterparty: act.counterparty.uscc,
      lines: act.lines,
      total: act.total,
      captured_at: capture.captured_at,
      language: language.value,
      text_id: act.signing.text_id,
      text_version: act.signing.text_version,
      capture,
    },
    await deviceKey(),
  )
  return submit({
    id: body.signed.client_event_id,
    kind: act.signing.action,
    title: act.title,
    subject: id,
    path: act.path,
    body,
    files: act.files ?? [],
    uploads: 'list',
  })
}
