// Evaluates JSONata by its reference implementation: one expression a line, one result a line, both as JSON.
// $hash is Step Functions' own; the other functions that it adds are not used by the workflow.
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const jsonata = createRequire(process.argv[2])("jsonata");
const digest = (text, algorithm) => createHash(algorithm.replace("-", "").toLowerCase()).update(text).digest("hex");

for await (const line of createInterface({ input: process.stdin })) {
  try {
    const expression = jsonata(JSON.parse(line));
    expression.registerFunction("hash", digest, "<ss:s>");
    const value = await expression.evaluate(undefined);
    console.log(JSON.stringify({ value: value === undefined ? null : value }));
  } catch (error) {
    console.log(JSON.stringify({ error: `${error.code}: ${error.message}` }));
  }
}
