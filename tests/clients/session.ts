// The Todo session of openapi-fetch with the types that openapi-typescript makes; run by test_typescript.py.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

const client = createClient<paths>({
  baseUrl: process.env.API ?? "",
  headers: { Authorization: `Bearer ${process.env.TOKEN}` },
});
const item = "/todo/{owner}/{uuid}";

const created = await client.POST("/todo", { body: { text: "Water the plants" } });
const todo: components["schemas"]["Todo"] | undefined = created.data;
assert.ok(todo);
assert.equal(created.response.status, 201);
assert.equal(todo.done, false);
const params = { path: { owner: todo.owner, uuid: todo.uuid } };

const page = await client.GET("/todo", { params: { query: { limit: 10, fields: ["text", "done"] } } });
assert.deepEqual(page.data, { items: [{ text: "Water the plants", done: false }], pagination_key: null });

const retrieved = await client.GET(item, { params });
assert.deepEqual(retrieved.data, todo);
const tag = retrieved.response.headers.get("etag") ?? "";

const changed = await client.PATCH(item, { params: { ...params, header: { "If-Match": tag } }, body: { done: true } });
assert.equal(changed.data?.done, true);

const lost = await client.PATCH(item, { params: { ...params, header: { "If-Match": tag } }, body: { done: false } });
assert.equal(lost.error?.status, 412);

const replaced = await client.PUT(item, { params, body: { text: "Feed the cat" } });
assert.equal(replaced.data?.text, "Feed the cat");
assert.equal(replaced.data?.done, false);

const deleted = await client.DELETE(item, { params });
assert.equal(deleted.response.status, 204);

const gone = await client.GET(item, { params });
assert.equal(gone.data, undefined);
assert.equal(gone.error?.title, "Not Found");

// @ts-expect-error: a text is required
const refused = await client.POST("/todo", { body: { done: true } });
assert.equal(refused.response.status, 422);
console.log("done");
