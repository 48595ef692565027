import { cookies } from 'next/headers'
import { send, signIn } from './actions'

export default async function Page() {
  const user = (await cookies()).get('user')?.value ?? ''
  return (
    <main>
      <h1 id="greeting">before</h1>
      <p id="user">{user}</p>
      <form id="message-form" action={send}>
        <input name="message" />
        <button>Send</button>
      </form>
      <form id="login-form" action={signIn}>
        <input name="user" />
        <button>Sign in</button>
      </form>
    </main>
  )
}
