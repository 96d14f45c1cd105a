-- The consent by which an add-on was opened (operation open_add_on): who, when, and the document,
-- sealed; a packed CardCommand.Consent.
alter table operation add column consent bytea;
