export default defineEventHandler((event) => sendRedirect(event, new URL('/new', getRequestURL(event)).href))
