'use server'

import { cookies } from 'next/headers'
import { redirect } from 'next/navigation'

export async function send(form) {
  redirect(`/received?message=${encodeURIComponent(form.get('message'))}`)
}

export async function signIn(form) {
  const jar = await cookies()
  jar.set('user', form.get('user'), { httpOnly: true })
  redirect('/')
}
