import { onBeforeUnmount, onMounted, ref } from 'vue'

/** Milliseconds now, a second at a time, while the component lives: for "next try in n s". */
export function useClock() {
  const clock = ref(Date.now())
  let timer: ReturnType<typeof setInterval> | null = null
  onMounted(() => {
    timer = setInterval(() => {
      clock.value = Date.now()
    }, 1000)
  })
  onBeforeUnmount(() => {
    if (timer) clearInterval(timer)
  })
  return clock
}
