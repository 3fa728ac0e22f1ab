// Keeps a page current: one WebSocket, and a region of the page is fetched again when something in it changed.
//
//   <span class="link" id="link" data-connected="..." data-connecting="..." data-lost="..." data-ended="...">
//   <div data-live="alert order" hx-get="..." hx-trigger="refresh">     refreshed by every push of those kinds
//
// The socket carries ids only and forgets what it sent: after every reconnection all regions are fetched again.
(() => {
  'use strict'

  const PING_EVERY = 20_000
  const PONG_WITHIN = 10_000
  const LONGEST_WAIT = 30_000
  const SETTLE = 80
  const SIGNED_OUT = 4401

  const shown = document.getElementById('link')
  if (!shown) return

  let socket = null
  let attempts = 0
  let hasBeenReady = false
  let pingTimer = 0
  let pongTimer = 0
  let retryTimer = 0
  const changed = new Set()
  const fresh = new Set()
  let settleTimer = 0

  function show(state) {
    shown.dataset.state = state
    shown.textContent = shown.dataset[state]
  }

  function connect() {
    clearTimeout(retryTimer)
    show('connecting')
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
    socket = new WebSocket(`${scheme}://${location.host}/ws/live/`)
    socket.addEventListener('open', () => socket.send(JSON.stringify({ type: 'authenticate' })))
    socket.addEventListener('message', (event) => receive(JSON.parse(event.data)))
    socket.addEventListener('close', (event) => lost(event.code))
  }

  function receive(message) {
    if (message.type === 'ready') ready()
    else if (message.type === 'pong') clearTimeout(pongTimer)
    else if (message.type === 'push') {
      changed.add(message.kind.split('.')[0])
      if (message.alert) fresh.add(message.alert)
      // Several pushes of one change make one fetch.
      if (!settleTimer) settleTimer = setTimeout(refreshChanged, SETTLE)
    }
  }

  function ready() {
    attempts = 0
    show('connected')
    clearInterval(pingTimer)
    pingTimer = setInterval(ping, PING_EVERY)
    // The page is as old as its load, the socket is younger: what happened between is fetched now.
    refresh(() => true)
    hasBeenReady = true
  }

  function ping() {
    socket.send(JSON.stringify({ type: 'ping' }))
    clearTimeout(pongTimer)
    pongTimer = setTimeout(() => socket.close(), PONG_WITHIN)
  }

  function lost(code) {
    clearInterval(pingTimer)
    clearTimeout(pongTimer)
    if (code === SIGNED_OUT) {
      show('ended')
      return
    }
    show(hasBeenReady ? 'lost' : 'connecting')
    const wait = Math.min(LONGEST_WAIT, 1000 * 2 ** attempts) * (0.5 + Math.random() / 2)
    attempts += 1
    retryTimer = setTimeout(connect, wait)
  }

  function refreshChanged() {
    settleTimer = 0
    const kinds = new Set(changed)
    changed.clear()
    refresh((names) => names.some((name) => kinds.has(name)))
  }

  function refresh(concerns) {
    for (const region of document.querySelectorAll('[data-live]')) {
      if (concerns(region.dataset.live.split(' '))) region.dispatchEvent(new CustomEvent('refresh', { bubbles: false }))
    }
  }

  // A click is lost when what it began on is replaced before it ends: while a button is down, nothing is swapped.
  let pressed = false
  let missed = false
  addEventListener('pointerdown', () => { pressed = true })
  for (const end of ['pointerup', 'pointercancel']) {
    addEventListener(end, () => {
      pressed = false
      if (missed) setTimeout(() => refresh(() => true), SETTLE)
      missed = false
    })
  }
  document.addEventListener('htmx:beforeSwap', (event) => {
    if (!pressed || !event.target.matches('[data-live]')) return
    event.detail.shouldSwap = false
    missed = true
  })

  // What is new in a refreshed list is marked, and said to a screen reader.
  document.addEventListener('htmx:afterSettle', (event) => {
    for (const id of fresh) {
      const row = document.getElementById(id)
      if (!row || !event.target.contains(row)) continue
      fresh.delete(id)
      row.classList.add('fresh')
      const spoken = document.getElementById('spoken')
      const reason = row.querySelector('.reason')
      if (spoken && reason) spoken.textContent = reason.textContent.trim()
    }
  })

  function reconnectNow() {
    if (socket && socket.readyState <= WebSocket.OPEN) return
    if (shown.dataset.state === 'ended') return
    attempts = 0
    connect()
  }

  addEventListener('online', reconnectNow)
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') reconnectNow()
  })
  addEventListener('pageshow', (event) => {
    if (event.persisted) reconnectNow()
  })

  connect()
})()
