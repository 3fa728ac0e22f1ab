import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { PickedFile } from '@/platform/face'
import { memoryFiles, memoryShelf } from './memory'

const files = memoryFiles()
vi.mock('@/platform', () => ({
  face: {
    shelf: memoryShelf(),
    files,
    systemLanguage: () => 'en',
    random: async (length: number) => new Uint8Array(length),
  },
}))
const { keepFile, LARGEST, typeOf, Unfit, unfitText } = await import('@/stores/attachments')

const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1, 2, 3]
const picked = (bytes: number[], more: Partial<PickedFile> = {}): PickedFile => ({
  name: 'IMG_1.jpg',
  mime: 'image/jpeg',
  size: bytes.length,
  source: 'album',
  captured_at: null,
  content: Uint8Array.from(bytes),
  ...more,
})

beforeEach(() => {
  for (const id of Object.keys(files.files)) delete files.files[id]
})

describe('a file that is kept', () => {
  it('is of the type that its content shows, whatever it is called', async () => {
    expect((await keepFile(picked(PNG), 'photo')).mime).toBe('image/png')
    expect(Object.keys(files.files)).toHaveLength(1)
  })
  it.each([
    [[0xff, 0xd8, 0xff, 0xe1], 'image/jpeg'],
    [PNG, 'image/png'],
    [[0x25, 0x50, 0x44, 0x46, 0x2d, 0x31], 'application/pdf'],
    [[0x47, 0x49, 0x46, 0x38], null],
    [[0xff, 0xd8], null],
    [[], null],
  ])('begins as its type does: %j', (head, type) => expect(typeOf(Uint8Array.from(head))).toBe(type))
})

describe('a file that does not fit', () => {
  it.each([
    ['type', picked([0x68, 0x65, 0x6c, 0x6c, 0x6f]), 'IMG_1.jpg is no JPEG, PNG or PDF'],
    ['empty', picked([]), 'IMG_1.jpg is empty'],
    ['too-large', picked(PNG, { size: LARGEST + 1 }), 'IMG_1.jpg is larger than 20 MB'],
  ])('is refused by its name (%s), and nothing of it stays', async (why, file, text) => {
    const refusal = await keepFile(file, 'photo').catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(Unfit)
    expect((refusal as InstanceType<typeof Unfit>).why).toBe(why)
    expect(unfitText(refusal)).toBe(text)
    expect(files.files).toEqual({})
  })
})
