export { face, simulated } from 'platform-face'
export * from './face'
