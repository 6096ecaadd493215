"""A mail assistant for each user of an application: it reads the user's newest mail and puts its
sender into the user's CRM. Written as programs for the public SDK are; the model is scripted.

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
        results = [message for message in messages if isinstance(message, ToolMessage)]
        if not results:
            answer = self.call("gmail_fetch_mails", {"limit": 1})
        elif len(results) == 1:
            sender = ast.literal_eval(results[0].content)["messages"][0]["from"]
            address = re.search(r"[\w.+-]+@[\w.-]+", sender).group(0)
            answer = self.call("hubspot_contact_create", {"properties": {"email": address}})
        elif results[1].content.startswith("Error"):
            answer = AIMessage(content="The sender is among the contacts already.")
        else:
            contact = ast.literal_eval(results[1].content)
            answer = AIMessage(content=f"Saved {contact['properties']['email']} as contact {contact['id']}.")
        return ChatResult(generations=[ChatGeneration(message=answer)])

    def call(self, name, args):
        assert name in self.names, f"{name} is not among {self.names}"
        return AIMessage(content="", tool_calls=[{"name": name, "args": args, "id": f"call_{name}"}])


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
    print(run_agent(user, "Put the sender of my newest mail into HubSpot."), flush=True)
