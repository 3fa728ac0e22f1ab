import { createHash, createPublicKey, verify } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { type Act, checkDocument, DocumentDiffers, signedAct, signedObject, signedText } from '@/signer/act'
import { base64url, fromBase64url, hex, utf8 } from '@/signer/bytes'
import { DIGEST_CHUNK, jsonDigest, sha256hex, streamDigest } from '@/signer/digest'
import { jcs, type Json } from '@/signer/jcs'
import { newDeviceKey, sessionProof, signText, verifyText } from '@/signer/key'
import { uuid7 } from '@/signer/uuid7'

const SHARED = fileURLToPath(new URL('../../tests/vectors/sign.json', import.meta.url))
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

describe('canonical JSON', () => {
  it('orders members by UTF-16 code units, not by code points', () => {
    expect(jcs({ '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\u{1f600}': 5, '\u0080': 6, '\u00f6': 7 })).toBe(
      '{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\u{1f600}":5,"\ufb33":3}',
    )
  })
  it('escapes only what RFC 8785 escapes', () => {
    expect(jcs('\u20ac$\u000f\nA\'B"\\\\"/\u007f\u2028')).toBe('"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/\u007f\u2028"')
  })
  it('writes nested values without white space', () => {
    expect(jcs({ b: [1, null, true, { z: '', a: [] }], a: -7 })).toBe('{"a":-7,"b":[1,null,true,{"a":[],"z":""}]}')
  })
  it('writes minus zero as zero', () => expect(jcs(-0)).toBe('0'))
  it.each([[1.5], [2 ** 53], [Number.NaN], [Number.POSITIVE_INFINITY]])(
    'refuses %s, which no signed document holds',
    (value) => {
      expect(() => jcs(value)).toThrow(TypeError)
    },
  )
  it('refuses undefined instead of dropping it', () =>
    expect(() => jcs({ a: undefined as unknown as Json })).toThrow(TypeError))
  it('refuses a lone surrogate in a value or a key', () => {
    expect(() => jcs('\ud83d')).toThrow(TypeError)
    expect(() => jcs({ '\ude00': 1 })).toThrow(TypeError)
  })
})

describe('bytes', () => {
  it.each(['', 'a', 'é', '签收', '\u{1f600}', '\u07ff\u0800\uffff'])('encodes %s as the platform does', (text) => {
    expect(utf8(text)).toEqual(new Uint8Array(Buffer.from(text, 'utf8')))
  })
  it('writes and reads base64url without padding', () => {
    for (let length = 0; length < 70; length++) {
      const bytes = Uint8Array.from({ length }, (_, index) => (index * 37 + length * 11) & 255)
      expect(base64url(bytes)).toBe(Buffer.from(bytes).toString('base64url'))
      expect(fromBase64url(base64url(bytes))).toEqual(bytes)
    }
  })
  it('refuses what is not base64url', () => expect(() => fromBase64url('a+b/')).toThrow(RangeError))
})

describe('digests', () => {
  it('agree with the platform', () => expect(sha256hex(utf8('澜桥优选'))).toBe(sha256(utf8('澜桥优选'))))
  it('are the same however a file is read, and 20 MB stay in pieces', async () => {
    const size = 20 * 1024 * 1024 - 3
    const bytes = Uint8Array.from({ length: 4096 }, (_, index) => (index * 31) & 255)
    const whole = Buffer.alloc(size)
    for (let at = 0; at < size; at += bytes.length) whole.set(bytes.subarray(0, Math.min(bytes.length, size - at)), at)
    let longest = 0
    const shares: number[] = []
    const digest = await streamDigest(
      size,
      async (offset, length) => {
        longest = Math.max(longest, length)
        return Uint8Array.from(whole.subarray(offset, offset + length)).buffer
      },
      (share) => shares.push(share),
    )
    expect(digest).toBe(sha256(whole))
    expect(longest).toBe(DIGEST_CHUNK)
    expect(shares.at(-1)).toBe(1)
  })
})

const key = newDeviceKey(Uint8Array.from({ length: 32 }, (_, index) => index))

describe('the device key', () => {
  it('signs what another Ed25519 verifies', () => {
    const signature = Buffer.from(fromBase64url(signText(key, '签收')))
    const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: key.publicKey }, format: 'jwk' })
    expect(verify(null, Buffer.from('签收'), publicKey, signature)).toBe(true)
    expect(verify(null, Buffer.from('签收。'), publicKey, signature)).toBe(false)
  })
  it('proves itself over the login code alone', () => {
    const proof = sessionProof(key, 'code-1')
    expect(verifyText(key.publicKey, 'yirong/session/v1\ncode-1', proof)).toBe(true)
    expect(verifyText(key.publicKey, 'yirong/session/v1\ncode-2', proof)).toBe(false)
  })
})

const document: Json = {
  type: 'despatch',
  id: 'dsp_01jd0000000000000000000000',
  version: 1,
  despatch_no: 'PO-2026-0815-D1',
  lines: [{ despatch_line: '1', item_name: '电饭煲 3L "静音" \u{1f35a}', quantity: '1200.000' }],
  carrier: null,
}

const act: Act = {
  action: 'receipt.sign',
  origin: 'demo-0123456789ab.yirong.invalid/supply',
  client_event_id: '0193551c-7c00-7000-8000-000102030405',
  signer_member: 'mem_01jd0000000000000000000001',
  signer_party: '91310000MA1FL0001X',
  device_key_id: 'dev_01jd0000000000000000000002',
  document: { id: 'dsp_01jd0000000000000000000000', type: 'despatch', version: 1, digest: jsonDigest(document) },
  order: { buyer_uscc: '91310000MA1FL0001X', order_no: 'PO-2026-0815', version: 1 },
  counterparty: '91310000MA1FL0002Y',
  lines: [
    {
      despatch_line: '1',
      received_quantity: '1200.000',
      accepted_quantity: '1180.000',
      short_quantity: '0.000',
      rejected_quantity: '20.000',
      reject_reason: 'DAMAGED',
      oversupply_quantity: '0.000',
    },
  ],
  total: { amount: '219480.00', currency: 'CNY' },
  captured_at: '2026-11-23T10:00:00.000Z',
  language: 'zh-Hans',
  text_id: 'receipt.sign',
  text_version: 1,
  capture: {
    nonce: base64url(Uint8Array.from({ length: 32 }, (_, index) => 255 - index)),
    captured_at: '2026-11-23T10:00:00.000Z',
    network_type: '4g',
    location: {
      latitude: '31.2304000',
      longitude: '121.4737000',
      accuracy_m: 12,
      datum: 'wgs84',
      precision_class: 'precise',
      age_s: 0,
    },
    location_refused: false,
    consent: 'ltx_01jd0000000000000000000003',
    photos: ['e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    drawing: null,
    opened_at: '2026-11-23T09:58:00.000Z',
    handset: 'chen-li',
  },
}

describe('what a person signs', () => {
  it('is a version line and the canonical act, with the capture by its digest', () => {
    const [line, text] = signedText(signedObject(act)).split('\n')
    expect(line).toBe('yirong/sign/v1')
    const signed = JSON.parse(text)
    expect(text).toBe(jcs(signed))
    expect(signed.capture_digest).toBe(jsonDigest(act.capture as unknown as Json))
    expect(signed.nonce).toBe(act.capture.nonce)
    expect(signed).not.toHaveProperty('capture')
  })
  it('changes with every figure, and with the capture', () => {
    const body = signedAct(act, key)
    const other = signedObject({ ...act, total: { ...act.total, amount: '219480.01' } })
    const moved = signedObject({ ...act, capture: { ...act.capture, location: null } })
    expect(verifyText(key.publicKey, signedText(signedObject(act)), body.signature)).toBe(true)
    expect(verifyText(key.publicKey, signedText(other), body.signature)).toBe(false)
    expect(verifyText(key.publicKey, signedText(moved), body.signature)).toBe(false)
  })
  it('is not signed when the document shown is not the document of the digest', () => {
    checkDocument(document, jsonDigest(document))
    expect(() => checkDocument({ ...(document as object), version: 2 }, jsonDigest(document))).toThrow(DocumentDiffers)
  })
  it('is written to the vectors that every language checks', () => {
    const signed = signedObject(act)
    const text = signedText(signed)
    const vectors = {
      about: 'What a phone signs, from a fixed seed. Every language that signs or verifies reproduces these values.',
      seed: key.seed,
      public_key: key.publicKey,
      session: { code: 'demo-code-0001', signature: sessionProof(key, 'demo-code-0001') },
      canonical: CANONICAL.map((value) => ({ value, jcs: jcs(value), sha256: jsonDigest(value) })),
      document: { value: document, sha256: jsonDigest(document) },
      act: {
        capture: act.capture,
        capture_sha256: signed.capture_digest,
        signed,
        jcs: jcs(signed as unknown as Json),
        signed_sha256: sha256hex(utf8(text)),
        signature: signText(key, text),
      },
    }
    const written = `${JSON.stringify(vectors, null, 2)}\n`
    if (process.env.WRITE_VECTORS) writeFileSync(SHARED, written)
    expect(readFileSync(SHARED, 'utf8')).toBe(written)
  })
})

/** Keys are ASCII in all that is signed; the server's canonical form refuses others. */
const CANONICAL: Json[] = [
  {},
  [],
  { b: 1, a: 2 },
  { b: '', a_1: [], a: {}, B: '€', '10': 1, '9': 2 },
  '\u20ac$\u000f\nA\'B"\\\\"/\u007f\u2028',
  { null: null, yes: true, no: false, least: -9007199254740991, most: 9007199254740991 },
  { name: '电饭煲 \u{1f35a}', quantities: ['1180.000', '20.000'] },
]

describe('identifiers', () => {
  it('are UUIDv7 that sort by time', () => {
    const random = Uint8Array.from({ length: 10 }, () => 255)
    const first = uuid7(1763892000000, random)
    expect(first).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(Number.parseInt(first.replace('-', '').slice(0, 12), 16)).toBe(1763892000000)
    expect(uuid7(1763892000001, new Uint8Array(10)) > first).toBe(true)
    expect(hex(Uint8Array.of(0, 255))).toBe('00ff')
  })
})
