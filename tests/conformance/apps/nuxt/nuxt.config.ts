export default defineNuxtConfig({
  compatibilityDate: '2026-01-01',
  devtools: { enabled: true },
  telemetry: false,
  app: { head: { link: [{ rel: 'icon', href: 'data:,' }] } },
})
