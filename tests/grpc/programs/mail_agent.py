"""A mail assistant for each user of an application: it reads the user's newest mail, and notes it
on its sender in the user's CRM, whom it adds where there is nobody yet. Written as programs for the public SDK are; the model is scripted.

Usage: mail_agent.py USER
"""

import ast
import os
import re
import sys

import scalekit.client
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult

scalekit_client = scalekit.client.ScalekitClient(
    client_id=os.getenv("SCALEKIT_CLIENT_ID"),
    client_secret=os.getenv("SCALEKIT_CLIENT_SECRET"),
    env_url=os.getenv("SCALEKIT_ENVIRONMENT_URL"),
)
actions = scalekit_client.actions

CONNECTIONS = ["gmail", "hubspot"]


class ScriptedModel(BaseChatModel):
    """Calls one tool after the other, with what it read before, as a model would."""

    names: list[str] = []

    @property
    def _llm_type(self):
        return "scripted"

    def bind_tools(self, tools, **kwargs):
        return ScriptedModel(names=[tool.name for tool in tools])

    def _generate(self, messages, stop=None, run_manager=None, **kwargs):
        read = [ast.literal_eval(message.content) for message in messages if isinstance(message, ToolMessage)]
        if not read:
            return self.call("gmail_fetch_mails", {"limit": 1})
        mail = read[0]["messages"][0]
        address = re.search(r"[\w.+-]+@[\w.-]+", mail["from"]).group(0)
        if len(read) == 1:
            by_address = [{"propertyName": "email", "operator": "EQ", "value": address}]
            return self.call("hubspot_contacts_search", {"filters": by_address, "limit": 1})
        if len(read) == 2 and not read[1]["results"]:
            return self.call("hubspot_contact_create", {"properties": {"email": address}})
        if "hs_note_body" in read[-1].get("properties", {}):
            return self.say(f"Noted on {address}.")
        contact = read[1]["results"][0] if read[1]["results"] else read[2]
        return self.call("hubspot_note_create", {"body": mail["subject"], "contact_id": contact["id"]})

    def call(self, name, args):
        assert name in self.names, f"{name} is not among {self.names}"
        calls = [{"name": name, "args": args, "id": f"call_{name}"}]
        return ChatResult(generations=[ChatGeneration(message=AIMessage(content="", tool_calls=calls))])

    def say(self, text):
        return ChatResult(generations=[ChatGeneration(message=AIMessage(content=text))])


def ensure_connected(user):
    for connection_name in CONNECTIONS:
        account = actions.get_or_create_connected_account(
            connection_name=connection_name, identifier=user
        ).connected_account
        if account.status != "ACTIVE":
            link = actions.get_authorization_link(connection_name=connection_name, identifier=user)
            print(f"Authorize {connection_name}: {link.link}", flush=True)
            input()


def run_agent(user, task):
    tools = actions.langchain.get_tools(identifier=user, connection_names=CONNECTIONS, page_size=100)
    by_name = {tool.name: tool for tool in tools}
    model = ScriptedModel().bind_tools(tools)
    messages = [SystemMessage("You tend a user's mail and contacts."), HumanMessage(task)]
    while True:
        reply = model.invoke(messages)
        messages.append(reply)
        if not reply.tool_calls:
            return reply.content
        for call in reply.tool_calls:
            result = by_name[call["name"]].invoke(call["args"])
            messages.append(ToolMessage(result, tool_call_id=call["id"]))


if __name__ == "__main__":
    user = sys.argv[1]
    ensure_connected(user)
    print(run_agent(user, "Note my newest mail on its sender in HubSpot."), flush=True)
