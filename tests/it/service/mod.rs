mod issue_token;
mod secrets;
