//! Queries as the vendor answers them.

use super::super::condition::like;
use super::*;
use crate::calendar::minutes_before_start;

fn ask(org: &Org, text: &str) -> Result<Vec<Value>, Problem> {
    select(org, &soql::parse(text)?, minutes_before_start(0))
}

#[test]
fn open_opportunities_come_with_account_contact_and_churn_risk_in_order() {
    let org = Org::seeded("ada", 40);
    let rows = ask(
        &org,
        "SELECT Id, Name, Account.Name, Contact.Email, churn_risk_score__c FROM Opportunity \
         WHERE IsClosed = false AND churn_risk_score__c >= 0.5 ORDER BY churn_risk_score__c DESC LIMIT 3",
    )
    .unwrap();
    assert_eq!(rows.len(), 3);
    let scores: Vec<f64> = rows
        .iter()
        .map(|row| row["churn_risk_score__c"].as_f64().unwrap())
        .collect();
    assert!(scores[0] >= scores[1] && scores[1] >= scores[2] && scores[2] >= 0.5);
    assert!(
        rows[0]["Contact"]["Email"]
            .as_str()
            .unwrap()
            .ends_with("@ada.example")
    );
    assert_eq!(rows[0]["Account"]["attributes"]["type"], "Account");
}

#[test]
fn conditions_mean_what_the_vendor_says() {
    let org = Org::seeded("ada", 40);
    let count = |condition: &str| {
        ask(&org, &format!("SELECT Id FROM Opportunity WHERE {condition}"))
            .unwrap_or_else(|problem| panic!("{condition}: {problem:?}"))
            .len()
    };
    let all = count("Id != null");
    assert_eq!(all, 40);
    assert_eq!(count("StageName LIKE '%' AND CloseDate <= 4000-12-31"), all);
    assert_eq!(count("IsClosed = true") + count("IsClosed = false"), all);
    assert_eq!(
        count("StageName IN ('Closed Won', 'closed lost')"),
        count("IsClosed = true")
    );
    assert_eq!(count("NOT StageName LIKE 'Closed%'"), count("IsClosed = false"));
    assert_eq!(count("Amount = null") + count("Amount > 0"), all);
    assert_eq!(count("CloseDate < TODAY"), count("IsClosed = true"));
    assert_eq!(
        count("CreatedDate = THIS_YEAR") + count("CreatedDate < THIS_YEAR"),
        all
    );
    assert!(count("AccountId IN (SELECT Id FROM Account WHERE Industry = 'Retail')") > 0);
    assert_eq!(count("Account.Name LIKE '%zz%'"), 0);
}

#[test]
fn wrong_types_and_names_are_refused_as_fields() {
    let org = Org::seeded("ada", 5);
    for text in [
        "SELECT Id FROM Opportunity WHERE CloseDate > '2026-01-01'",
        "SELECT Id FROM Opportunity WHERE Name = 5",
        "SELECT Id FROM Opportunity WHERE Amount LIKE '5%'",
        "SELECT Nmae FROM Opportunity",
        "SELECT Acount.Name FROM Opportunity",
        "SELECT Id FROM Deal",
        "SELECT FIELDS(ALL) FROM Opportunity",
        "SELECT Name, COUNT(Id) FROM Opportunity",
    ] {
        assert!(ask(&org, text).is_err(), "{text}");
    }
}

#[test]
fn groups_and_children_are_answered_as_the_vendor_does() {
    let org = Org::seeded("ada", 40);
    let rows = ask(
        &org,
        "SELECT StageName, COUNT(Id) deals, SUM(Amount) FROM Opportunity GROUP BY StageName",
    )
    .unwrap();
    assert_eq!(rows.len(), 8);
    assert!(
        rows.iter()
            .all(|row| row["deals"] == 5 && row["expr0"].is_number())
    );
    let rows = ask(
        &org,
        "SELECT Name, (SELECT Contact.Email, IsPrimary FROM OpportunityContactRoles) FROM Opportunity LIMIT 1",
    )
    .unwrap();
    assert_eq!(rows[0]["OpportunityContactRoles"]["totalSize"], 1);
    assert!(rows[0]["OpportunityContactRoles"]["records"][0]["Contact"]["Email"].is_string());
    let rows = ask(&org, "SELECT FIELDS(CUSTOM) FROM Opportunity LIMIT 1").unwrap();
    assert!(rows[0].get("churn_risk_score__c").is_some() && rows[0].get("Name").is_none());
    let rows = ask(&org, "SELECT Who.Name, What.Name FROM Task LIMIT 1").unwrap();
    assert!(rows[0]["Who"]["Name"].is_string() && rows[0]["What"]["Name"].is_string());
}

#[test]
fn patterns_match_the_whole_text() {
    assert!(like("closed won", "closed%"));
    assert!(like("abc", "a_c") && like("", "%") && like("50%", "50\\%"));
    assert!(!like("abc", "b") && !like("abc", "a_") && !like("50x", "50\\%"));
}
