import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Every file below `folder`, as paths. Ends the process with a sentence when there is no such folder. */
export function filesBelow(folder) {
  try {
    return readdirSync(folder, { recursive: true })
      .map((name) => join(folder, String(name)))
      .filter((path) => statSync(path).isFile())
  } catch {
    console.error(`${folder} is not there: build first`)
    process.exit(1)
  }
}

/** Prints the faults and ends with 1, or the good word and ends with 0. */
export function conclude(faults, good) {
  for (const fault of faults) console.error(`✗ ${fault}`)
  if (faults.length) process.exit(1)
  console.log(`✓ ${good}`)
}
