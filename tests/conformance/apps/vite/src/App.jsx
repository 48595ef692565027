export default function App() {
  return <h1 id="greeting">before</h1>
}
