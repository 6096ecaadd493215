/** A program in another runtime than Node, as strict as the compiler can be: the package's types need nothing else. */
import { type Tool, Valetkey, isFault } from "@valetkey/client";
import { anthropicTools } from "@valetkey/client/anthropic";
import { openaiTools } from "@valetkey/client/openai";

const user = new Valetkey({ baseUrl: "https://keys.example", accessToken: () => "t" }).forUser("user-42");

export async function names(): Promise<string[]> {
  const found: Tool[] = await user.tools({ readOnly: true }).all();
  return found.map((tool) => tool.name);
}

export async function linkOf(): Promise<string | undefined> {
  try {
    const { data } = await user.execute<{ id: string }>("hubspot_whoami", {}, { timeoutMs: 1_000 });
    return data.id;
  } catch (error) {
    if (!isFault(error)) throw error;
    switch (error.kind) {
      case "account_not_active":
      case "scope_missing":
        return error.authorizationLink;
      default:
        return undefined;
    }
  }
}

export const formats = [openaiTools(user), anthropicTools(user)];
