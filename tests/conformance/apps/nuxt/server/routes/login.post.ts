export default defineEventHandler(async (event) => {
  const { user } = await readBody(event)
  setCookie(event, 'user', user)
  return sendRedirect(event, '/', 303)
})
