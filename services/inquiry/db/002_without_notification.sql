-- What became of messages to the holder stands in notification's own rows and topic.
alter table document drop column notification;
