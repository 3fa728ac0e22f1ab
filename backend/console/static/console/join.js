// The code of an invitation's link stands behind its #: it goes into the form, and out of the address and the history.
(() => {
  'use strict'

  const code = decodeURIComponent(location.hash.slice(1))
  const field = document.getElementById('id_code')
  if (!code || !field) return
  field.value = code
  history.replaceState(null, '', location.pathname)
  document.getElementById('id_username').focus()
})()
