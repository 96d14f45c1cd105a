-- What is old enough to go is found by when it was judged, which follows the order of insertion: a
-- few pages, and nothing to write for each application.
create index application_judged_at on application using brin (judged_at);
create index command_application on command (part, application_id);
create index collection_roster on collection (part, roster_id);
