// Server-sent events over fetch, since EventSource can't send a token (the HTML Standard, section 9.2).

/** The events of a response's body as they come: {event, data}. */
export async function* events(body) {
  let block = { event: "message", data: [] };
  for await (const line of lines(body)) {
    if (line === "") {
      if (block.data.length) yield { event: block.event, data: block.data.join("\n") };
      block = { event: "message", data: [] };
      continue;
    }
    const [, name, value] = /^([^:]*):? ?(.*)$/s.exec(line);
    if (name === "event") block.event = value;
    if (name === "data") block.data.push(value);
  }
}

async function* lines(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).split(/\r\n|\n|\r(?!$)/);
    rest = parts.pop();
    yield* parts;
  }
}
