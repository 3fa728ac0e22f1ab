/** An address that names no page leads to the first one, not to an empty screen. */
function leadHome(): void {
  const known = (globalThis as { __uniRoutes?: { path: string }[] }).__uniRoutes ?? []
  const path = location.hash.slice(1).split('?')[0]
  if (path && path !== '/' && known.length > 0 && !known.some((route) => route.path === path))
    location.replace(`${location.pathname}${location.search}#/`)
}

/** The pictures of the tab bar are there before they are shown: without a network they could not be fetched. */
function fetchTabPictures(): void {
  const { tabBar } = (globalThis as { __uniConfig?: { tabBar?: { list: Record<string, string>[] } } }).__uniConfig ?? {}
  for (const { iconPath, selectedIconPath } of tabBar?.list ?? [])
    for (const path of [iconPath, selectedIconPath]) new Image().src = `.${path}`
}

/**
 * Makes uni's own parts of the page usable without a finger and without eyes: its tab bar and back button take the keyboard,
 * the way back has a name, the real <input> inside each uni input says what it is for, and the real <img> what it shows.
 */
export function keepReachable(back: () => string): void {
  fetchTabPictures()
  leadHome()
  window.addEventListener('hashchange', leadHome)
  const reach = () => {
    for (const part of document.querySelectorAll<HTMLElement>('.uni-tabbar__item, .uni-page-head-hd > div')) {
      if (part.tabIndex === 0) continue
      part.tabIndex = 0
      part.setAttribute('role', part.classList.contains('uni-tabbar__item') ? 'link' : 'button')
      part.addEventListener('keydown', (event) => {
        if (event.key === 'Enter' || event.key === ' ') part.click()
      })
    }
    for (const part of document.querySelectorAll('.uni-page-head-btn')) part.setAttribute('aria-label', back())
    for (const picture of document.querySelectorAll<HTMLImageElement>('.uni-tabbar__item img, uni-image img'))
      picture.alt = picture.closest('uni-image')?.getAttribute('alt') ?? ''
    for (const outer of document.querySelectorAll<HTMLElement>('uni-input[aria-label], uni-textarea[aria-label]')) {
      const label = outer.getAttribute('aria-label') ?? ''
      outer.querySelector('input, textarea')?.setAttribute('aria-label', label)
    }
  }
  let asked = 0
  const soon = () => {
    cancelAnimationFrame(asked)
    asked = requestAnimationFrame(reach)
  }
  new MutationObserver(soon).observe(document.body, { childList: true, subtree: true, attributeFilter: ['aria-label'] })
  soon()
}
