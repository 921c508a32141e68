-- For psql, with both passwords in its environment. Failing statements are not logged.
SET LOCAL log_min_error_statement = panic;
SET LOCAL log_statement = none;
SET LOCAL log_min_duration_statement = -1;
\getenv owner_password OWNER_PASSWORD
\getenv app_password APP_PASSWORD
ALTER ROLE docbook_owner PASSWORD :'owner_password';
ALTER ROLE docbook_app PASSWORD :'app_password';
