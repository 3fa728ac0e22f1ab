import type { Answer, Call } from '@/platform/face'
import { problemOf } from './problem'

export interface Written<T> {
  body: T
  /** The server had this write already and answered as it did then. */
  replayed: boolean
}

export interface Credentials {
  /** The token to send; null before sign-in. */
  token(): string | null
  /** Signs in again after `spent` was refused. Throws Problem when that fails too. */
  renew(spent: string | null): Promise<void>
  language(): string
}

const API = '/api/v1'

/** The one way to the server: every page and the write queue speak through it. Throws Problem on any refusal. */
export class Client {
  constructor(
    private readonly request: (call: Call) => Promise<Answer>,
    private readonly credentials: Credentials,
  ) {}

  async get<T>(path: string): Promise<T> {
    return (await this.signedIn('GET', path)).body as T
  }

  async getBytes(path: string): Promise<ArrayBuffer> {
    return (await this.signedIn('GET', path, undefined, { Accept: '*/*' }, true)).body as ArrayBuffer
  }

  async remove(path: string): Promise<void> {
    await this.signedIn('DELETE', path)
  }

  /** A write that may be repeated: the same `key` and body change nothing the second time. */
  async write<T>(path: string, body: object, key: string): Promise<Written<T>> {
    const answer = await this.signedIn('POST', path, JSON.stringify(body), {
      'Content-Type': 'application/json',
      'Idempotency-Key': key,
    })
    return { body: answer.body as T, replayed: answer.headers['idempotent-replay'] === 'true' }
  }

  async putBytes<T>(path: string, bytes: ArrayBuffer): Promise<T> {
    const answer = await this.signedIn('PUT', path, bytes, { 'Content-Type': 'application/octet-stream' })
    return answer.body as T
  }

  /** Without a token: only for signing in. */
  async open<T>(path: string, body: object): Promise<T> {
    const headers = { ...this.common(), 'Content-Type': 'application/json' }
    const answer = await this.request({ method: 'POST', path: API + path, headers, body: JSON.stringify(body) })
    if (answer.status < 200 || answer.status >= 300) throw problemOf(answer)
    return answer.body as T
  }

  private common(): Record<string, string> {
    return { Accept: 'application/json', 'Accept-Language': this.credentials.language() }
  }

  private async signedIn(
    method: Call['method'],
    path: string,
    body?: unknown,
    more: Record<string, string> = {},
    bytes = false,
  ): Promise<Answer> {
    for (let attempt = 0; ; attempt++) {
      const token = this.credentials.token()
      const headers = { ...this.common(), ...more, ...(token ? { Authorization: `Token ${token}` } : {}) }
      const answer = await this.request({ method, path: API + path, headers, body, bytes })
      if (answer.status >= 200 && answer.status < 300) return answer
      if (answer.status !== 401 || attempt > 0) throw problemOf(answer)
      await this.credentials.renew(token)
    }
  }
}
