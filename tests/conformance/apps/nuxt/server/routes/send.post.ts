export default defineEventHandler(async (event) => {
  const { message } = await readBody(event)
  return sendRedirect(event, `/?message=${encodeURIComponent(message)}`, 303)
})
