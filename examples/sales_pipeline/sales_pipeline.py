"""The morning of a sales team: five systems, as each representative, all of them side by side.

For every representative: read the open opportunities (Salesforce), fetch the mail threads with each contact (Gmail), let the
model judge every opportunity, keep the contact's state up to date (HubSpot), open an issue where the customer may leave
(Linear), and post a ranked summary (Slack). Everything is read before anything is written, so that a run that cannot read
everything changes nothing; whose account is to be connected again is reported with the link, and the others run through.

    export VALETKEY_SERVER=… VALETKEY_CLIENT_ID=… VALETKEY_CLIENT_SECRET=… OPENAI_API_KEY=…
    python sales_pipeline.py --model openai:gpt-5 --team SUP --channel sales rep-1 rep-2 rep-3
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import datetime
import operator
import uuid
from collections.abc import Iterable
from typing import Annotated, Any, TypedDict

from langchain.chat_models import init_chat_model
from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, StateGraph
from langgraph.types import Send
from pydantic import BaseModel, Field

import valetkey
from valetkey import AsyncValetkey, ValetkeyError

OPEN_OPPORTUNITIES = (
    "SELECT Id, Name, StageName, Amount, CloseDate, churn_risk_score__c, Account.Name, "
    "(SELECT Contact.Email, Contact.Name FROM OpportunityContactRoles WHERE IsPrimary = true) "
    "FROM Opportunity WHERE IsClosed = false ORDER BY CloseDate LIMIT 50"
)
RISKY = 0.7
"""From this churn risk on somebody has to look at the customer: an issue is opened."""

NAMESPACE = uuid.UUID("6f1c2a3e-5b7d-4d1e-9a53-2f4c8e0b7a11")
"""Of the names that are made from what a write is for: idempotency keys, and the issues' ids."""


class Judgement(BaseModel):
    """What the model says of one opportunity."""

    engagement: str = Field(description="One of: warm, cooling, cold, by how lively the mails are.")
    rank: int = Field(description="0 to 100: how much this opportunity deserves the representative's time today.")
    why: str = Field(description="One sentence for the summary.")


class Opportunity(TypedDict):
    """One open opportunity with what was found about it."""

    id: str
    name: str
    account: str
    amount: float | None
    churn_risk: float
    contact: str | None
    threads: list[dict[str, Any]]
    judgement: Judgement


class NotThereError(Exception):
    """A team or a channel is not where the representative can see it."""


class One(TypedDict):
    """What a step for one opportunity begins with."""

    record: dict[str, Any]


class Run(TypedDict):
    """One representative's run."""

    records: list[dict[str, Any]]
    team_id: str
    channel_id: str
    opportunities: Annotated[list[Opportunity], operator.add]
    updated: Annotated[list[str], operator.add]
    issues: Annotated[list[str], operator.add]
    message: str | None


@dataclasses.dataclass(frozen=True)
class Report:
    """What a representative's run came to."""

    identifier: str
    agent_run_id: str
    """Names the run in the host's record of executions."""
    opportunities: int = 0
    issues: list[str] = dataclasses.field(default_factory=list)
    """The issues that were opened."""
    message: str | None = None
    """Slack's name of the posted summary; none when the run broke off before."""
    problem: str | None = None
    """Why it broke off."""
    link: str | None = None
    """What the representative has to open before all of it works again."""


@dataclasses.dataclass(frozen=True)
class Pipeline:
    """What every run has in common."""

    client: AsyncValetkey
    model: BaseChatModel
    team: str
    """Linear's key of the team that looks after customers at risk (`SUP`)."""
    channel: str
    """Slack's name of the channel for the summaries, without `#`."""
    day: datetime.date = dataclasses.field(default_factory=lambda: datetime.datetime.now(datetime.UTC).date())
    """A run that is repeated on the same day writes nothing twice."""

    async def call(self, config: RunnableConfig, tool: str, params: dict[str, Any], once: str | None = None) -> Any:
        """Calls a tool as the run's representative. A tool that writes has `once`: what it writes happens once on that day,
        however often the run is repeated."""
        identifier = config["configurable"]["identifier"]
        key = None if once is None else str(uuid.uuid5(NAMESPACE, f"{self.day}:{identifier}:{tool}:{once}"))
        done = await self.client.execute_tool(
            tool, identifier=identifier, params=params, idempotency_key=key, read_only=once is None
        )
        return done.data

    async def find(self, config: RunnableConfig, tool: str, items: str, member: str, value: str) -> str:
        """The id of the one thing that a list tool lists under that name."""
        identifier = config["configurable"]["identifier"]
        async for page in self.client.execute_pages(tool, identifier=identifier, read_only=True):
            for each in page.data[items]:
                if each[member] == value:
                    return each["id"]
        raise NotThereError(f"{identifier} sees no {value} in what {tool} lists")

    async def begin(self, _: Run, config: RunnableConfig) -> dict[str, Any]:
        """Reads the open opportunities, and where issues and the summary go."""
        found, team_id, channel_id = await asyncio.gather(
            self.call(config, "salesforce_soql_execute", {"query": OPEN_OPPORTUNITIES, "limit": 50}),
            self.find(config, "linear_teams_list", "nodes", "key", self.team),
            self.find(config, "slack_list_channels", "channels", "name", self.channel),
        )
        return {"records": found["records"], "team_id": team_id, "channel_id": channel_id}

    async def study(self, one: One, config: RunnableConfig) -> dict[str, Any]:
        """Reads the mails with the contact and has the model judge the opportunity by them."""
        record = one["record"]
        contact = contact_of(record)
        threads = []
        if contact is not None:
            search = {"query": f"from:{contact}", "limit": 5}
            threads = (await self.call(config, "gmail_list_threads", search))["threads"]
        judge = self.model.with_structured_output(Judgement)
        judgement = await judge.ainvoke(
            "Judge this opportunity for the representative's day.\n"
            f"Opportunity: {record['Name']}, stage {record['StageName']}, amount {record['Amount']}, closes {record['CloseDate']}, "
            f"churn risk {record['churn_risk_score__c']}.\n"
            f"Mails with {contact}: {[thread['snippet'] for thread in threads]}",
            config,
        )
        opportunity = Opportunity(
            id=record["Id"],
            name=record["Name"],
            account=record["Account"]["Name"],
            amount=record["Amount"],
            churn_risk=record["churn_risk_score__c"] or 0.0,
            contact=contact,
            threads=threads,
            judgement=judgement,
        )
        return {"opportunities": [opportunity]}

    async def keep_contacts(self, run: Run, config: RunnableConfig) -> dict[str, Any]:
        """Notes in HubSpot how lively the mails with each contact are: the liveliest of their opportunities counts."""
        states: dict[str, Opportunity] = {}
        for opportunity in ranked(run):
            if opportunity["contact"] is not None:
                states.setdefault(opportunity["contact"], opportunity)
        updated = []
        for contact, opportunity in states.items():
            properties = {"hs_lead_status": opportunity["judgement"].engagement.upper()}
            by_email = {"contact_id": contact, "id_property": "email", "properties": properties}
            try:
                await self.call(config, "hubspot_contact_update", by_email, once=contact)
            except ValetkeyError as error:
                # Not everybody in Salesforce is in HubSpot too.
                if error.kind != "vendor_not_found":
                    raise
            else:
                updated.append(contact)
        return {"updated": updated}

    async def open_issues(self, run: Run, config: RunnableConfig) -> dict[str, Any]:
        issues = []
        for opportunity in ranked(run):
            if opportunity["churn_risk"] < RISKY:
                continue
            issue = {
                "teamId": run["team_id"],
                "title": f"{opportunity['account']} may leave: {opportunity['name']}",
                "description": opportunity["judgement"].why,
                "priority": 2,
                # Linear refuses the same id twice, also when the host has long forgotten the call.
                "id": str(uuid.uuid5(NAMESPACE, f"{self.day}:{opportunity['id']}")),
            }
            made = await self.call(config, "linear_issue_create", issue, once=opportunity["id"])
            issues.append(made["issue"]["identifier"])
        return {"issues": issues}

    async def post_summary(self, run: Run, config: RunnableConfig) -> dict[str, Any]:
        """Posts the ranking, and below it, in its thread, which issues were opened."""
        lines = [f"**{self.day}: {len(run['opportunities'])} open opportunities of {config['configurable']['identifier']}**"]
        for place, opportunity in enumerate(ranked(run), start=1):
            lines.append(f"{place}. {opportunity['name']} ({opportunity['account']}): {opportunity['judgement'].why}")
        summary = {"channel": run["channel_id"], "markdown_text": "\n".join(lines)}
        posted = await self.call(config, "slack_send_message", summary, once="summary")
        if run["issues"]:
            text = f"At risk, of {config['configurable']['identifier']}: {', '.join(run['issues'])}"
            reply = {"channel": run["channel_id"], "thread_ts": posted["ts"], "text": text}
            await self.call(config, "slack_send_message", reply, once="at risk")
        return {"message": posted["ts"]}

    def graph(self) -> Any:
        """The graph of all runs: whose accounts a run uses stands in its configuration, never in what the model says."""
        graph = StateGraph(Run)
        graph.add_node("begin", self.begin)
        graph.add_node("study", self.study)
        graph.add_node("keep_contacts", self.keep_contacts)
        graph.add_node("open_issues", self.open_issues)
        graph.add_node("post_summary", self.post_summary)
        graph.add_edge(START, "begin")
        each = lambda run: [Send("study", {"record": record}) for record in run["records"]] or "post_summary"  # noqa: E731
        graph.add_conditional_edges("begin", each, ["study", "post_summary"])
        graph.add_edge("study", "keep_contacts")
        graph.add_edge("keep_contacts", "open_issues")
        graph.add_edge("open_issues", "post_summary")
        graph.add_edge("post_summary", END)
        return graph.compile()


def contact_of(record: dict[str, Any]) -> str | None:
    """The e-mail address of an opportunity's primary contact."""
    roles = (record.get("OpportunityContactRoles") or {}).get("records", [])
    return next((role["Contact"]["Email"] for role in roles if role.get("Contact")), None)


def ranked(run: Run) -> list[Opportunity]:
    """The opportunities, the most urgent one first."""
    return sorted(run["opportunities"], key=lambda each: (-each["judgement"].rank, each["id"]))


async def run_representative(graph: Any, identifier: str) -> Report:
    """Runs the pipeline as one representative."""
    with valetkey.agent_run() as run_id:
        start = {"opportunities": [], "updated": [], "issues": [], "message": None}
        config = {"configurable": {"identifier": identifier}}
        try:
            ended = await graph.ainvoke(start, config)
        # One representative's trouble must not end the others' runs.
        except ValetkeyError as error:
            return Report(identifier, run_id, problem=str(error), link=error.authorization_link)
        except NotThereError as error:
            return Report(identifier, run_id, problem=str(error))
    return Report(
        identifier, run_id, opportunities=len(ended["opportunities"]), issues=ended["issues"], message=ended["message"]
    )


async def run_team(pipeline: Pipeline, identifiers: Iterable[str], *, at_once: int = 100) -> list[Report]:
    """Runs the pipeline as every representative, so many side by side; the reports are in the order of the names."""
    room = asyncio.Semaphore(at_once)
    graph = pipeline.graph()

    async def run(identifier: str) -> Report:
        async with room:
            return await run_representative(graph, identifier)

    return await asyncio.gather(*(run(identifier) for identifier in identifiers))


async def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", required=True, help="a chat model, as LangChain names it")
    parser.add_argument("--team", required=True, help="Linear's key of the team that gets the issues")
    parser.add_argument("--channel", required=True, help="Slack's name of the channel that gets the summaries")
    parser.add_argument("identifiers", nargs="+", help="the representatives")
    asked = parser.parse_args()
    async with AsyncValetkey() as client:
        pipeline = Pipeline(client, init_chat_model(asked.model), asked.team, asked.channel)
        for report in await run_team(pipeline, asked.identifiers):
            if report.problem is None:
                issues = ", ".join(report.issues) or "no issues"
                print(f"{report.identifier}: {report.opportunities} opportunities, {issues}")
            else:
                print(f"{report.identifier}: {report.problem}")
            if report.link is not None:
                print(f"  to connect again: {report.link}")


if __name__ == "__main__":
    asyncio.run(main())
