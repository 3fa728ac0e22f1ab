import { onHide, onShow } from '@dcloudio/uni-app'
import { watch } from 'vue'
import { face } from '@/platform'
import { demo } from './demo'
import { language, t } from './language'
import { session } from './session'

/** Titles and tab labels in the reader's language: the ones in pages.json are fixed when the page is built. */
export function usePage(title: () => string, options: { tab?: boolean } = {}): void {
  let shown = false
  const label = () => {
    if (!shown) return
    uni.setNavigationBarTitle({ title: face.canSignIn && !demo.unknown ? title() : t('app.name') })
    if (!options.tab) return
    if (!face.canSignIn || demo.unknown) return void uni.hideTabBar()
    const second = session.value?.organisation.kind === 'CARRIER' ? t('tab.trips') : t('tab.orders')
    for (const [index, text] of [t('tab.tasks'), second, t('tab.me')].entries()) uni.setTabBarItem({ index, text })
  }
  onShow(() => {
    shown = true
    label()
  })
  onHide(() => {
    shown = false
  })
  watch([language, session, title, () => demo.unknown], label)
}

export const go = (url: string): void => void uni.navigateTo({ url })
export const replaceWith = (url: string): void => void uni.redirectTo({ url })

/** A short word at the foot of the screen that goes by itself. */
export const say = (title: string): void => void uni.showToast({ title, icon: 'none', duration: 2500 })
