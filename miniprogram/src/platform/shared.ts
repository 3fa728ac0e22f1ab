import type { Answer, Call, Place, Shelf } from './face'

/** Key-value storage below one prefix, so that handsets played in one browser do not meet. */
export function prefixedShelf(prefix: string): Shelf {
  return {
    get<T>(key: string): T | null {
      const value = uni.getStorageSync(prefix + key)
      return value === '' || value === undefined ? null : (value as T)
    },
    set: (key, value) => uni.setStorageSync(prefix + key, value),
    remove: (key) => uni.removeStorageSync(prefix + key),
    keys: () =>
      uni
        .getStorageInfoSync()
        .keys.filter((key) => key.startsWith(prefix))
        .map((key) => key.slice(prefix.length)),
  }
}

const lowered = (headers: Record<string, unknown> | undefined): Record<string, string> =>
  Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value)]))

/** One HTTP call. Never rejects: status 0 says that no answer came. */
export function httpCall(origin: string, call: Call): Promise<Answer> {
  return new Promise((resolve) => {
    uni.request({
      url: origin + call.path,
      method: call.method,
      header: call.headers,
      data: call.body as string | object | ArrayBuffer | undefined,
      timeout: 30000,
      responseType: call.bytes ? 'arraybuffer' : 'text',
      success: (answer) =>
        resolve({
          status: answer.statusCode,
          headers: lowered(answer.header as Record<string, unknown>),
          body: answer.data,
        }),
      fail: () => resolve({ status: 0, headers: {}, body: null }),
    })
  })
}

export const INK = { colour: '#14213d', width: 3.5 }

/** A fix as it is signed: coordinates with seven decimals as text, never floats. */
export function placeOf(
  fix: { latitude: number; longitude: number; accuracy_m: number },
  more: Pick<Place, 'datum' | 'precision_class' | 'age_s'>,
): Place {
  return {
    latitude: fix.latitude.toFixed(7),
    longitude: fix.longitude.toFixed(7),
    accuracy_m: Math.max(1, Math.round(fix.accuracy_m)),
    ...more,
  }
}

export const shortLanguage = (tag: string): string => (/^en/i.test(tag) ? 'en' : 'zh-Hans')
