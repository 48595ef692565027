export default async function Received({ searchParams }) {
  return <p id="received">{(await searchParams).message}</p>
}
