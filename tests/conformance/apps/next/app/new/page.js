export default function New() {
  return <p id="new">new</p>
}
