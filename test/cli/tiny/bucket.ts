// A bucket as S3 has it, as much of one as Pulumi uses: objects in memory by key, listed by prefix.

import { createServer } from "node:http";
import { buffer } from "node:stream/consumers";

export interface Bucket {
  /** For `PULUMI_BACKEND_URL`. */
  url: string;
  /** What Pulumi has to be told beside it. */
  env: NodeJS.ProcessEnv;
  objects: Map<string, Buffer>;
  close(): void;
}

export async function startBucket(): Promise<Bucket> {
  const objects = new Map<string, Buffer>();
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://bucket");
    const key = decodeURIComponent(pathname.replace(/^\/state\/?/, ""));
    const body = await buffer(request);
    const found = objects.get(key);
    if (key === "") {
      response.end(list(objects, searchParams));
    } else if (request.method === "PUT") {
      const source = request.headers["x-amz-copy-source"];
      const copied = objects.get(decodeURIComponent(String(source)).replace(/^\/?state\//, ""));
      objects.set(key, source === undefined ? body : (copied ?? Buffer.alloc(0)));
      const result = "<CopyObjectResult><ETag>x</ETag></CopyObjectResult>";
      response.setHeader("ETag", '"x"').end(source === undefined ? "" : result);
    } else if (request.method === "DELETE") {
      objects.delete(key);
      response.writeHead(204).end();
    } else if (found) {
      response.setHeader("Last-Modified", new Date(0).toUTCString());
      response.setHeader("Content-Length", found.length).setHeader("ETag", '"x"');
      response.end(request.method === "HEAD" ? undefined : found);
    } else {
      response.writeHead(404).end("<Error><Code>NoSuchKey</Code></Error>");
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  return {
    url: `s3://state?region=us-east-1&endpoint=http://127.0.0.1:${port}&use_path_style=true`,
    env: {
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      // Otherwise bodies come in chunks with checksums between them.
      AWS_REQUEST_CHECKSUM_CALCULATION: "when_required",
      AWS_RESPONSE_CHECKSUM_VALIDATION: "when_required",
      NO_PROXY: "127.0.0.1",
    },
    objects,
    close: () => void server.close(),
  };
}

function list(objects: Map<string, Buffer>, query: URLSearchParams): string {
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter") ?? "";
  const keys = new Set<string>();
  const folders = new Set<string>();
  for (const key of [...objects.keys()].filter((each) => each.startsWith(prefix)).sort()) {
    const end = delimiter ? key.indexOf(delimiter, prefix.length) : -1;
    if (end < 0) keys.add(key);
    else folders.add(key.slice(0, end + delimiter.length));
  }
  const time = new Date(0).toISOString();
  const contents = [...keys].map(
    (key) =>
      `<Contents><Key>${key}</Key><LastModified>${time}</LastModified><ETag>x</ETag>` +
      `<Size>${objects.get(key)?.length}</Size></Contents>`,
  );
  const common = [...folders].map(
    (key) => `<CommonPrefixes><Prefix>${key}</Prefix></CommonPrefixes>`,
  );
  return `<ListBucketResult><IsTruncated>false</IsTruncated>${contents.join("")}${common.join("")}</ListBucketResult>`;
}
