// Reads objects as JSON, one a line; says of each what its kind's schema refuses, and which fields that does not know.
// The models' validators pass over fields they do not know. So they are given objects that remember what was read: a
// field that nobody asked for is none.
import { createInterface } from "node:readline";

const MODELS = {
  "keda.sh/v1alpha1": "@kubernetes-models/keda/keda.sh/v1alpha1",
  "monitoring.coreos.com/v1": "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1",
  "postgresql.cnpg.io/v1": "@kubernetes-models/cloudnative-pg/postgresql.cnpg.io/v1",
  "gateway.networking.k8s.io/v1": "@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1",
};

function remembering(value, path, fields, read) {
  if (value === null || typeof value !== "object") return value;
  const parts = Object.entries(value).map(([name, part]) => [name, remembering(part, `${path}.${name}`, fields, read)]);
  parts.forEach(([name]) => fields.add(`${path}.${name}`));
  return new Proxy(Array.isArray(value) ? parts.map(([, part]) => part) : Object.fromEntries(parts), {
    get: (target, name) => (read.add(`${path}.${String(name)}`), target[name]),
  });
}

for await (const line of createInterface({ input: process.stdin })) {
  const object = JSON.parse(line);
  const name = `${object.kind} ${object.metadata.name}`;
  const Model = (await import(MODELS[object.apiVersion]))[object.kind];
  if (!Model) throw new Error(`nobody knows a ${object.kind} of ${object.apiVersion}`);
  const fields = new Set();
  const read = new Set();
  try {
    Model.prototype.validate.call(remembering(object, "", fields, read));
  } catch (error) {
    console.log(`${name}: ${error.message}`);
  }
  for (const field of fields) {
    if (!read.has(field) && !field.startsWith(".metadata.")) console.log(`${name}: no field ${field}`);
  }
}
