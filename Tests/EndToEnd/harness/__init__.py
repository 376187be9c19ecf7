"""What the end-to-end tests are made of: the agent, media services, readers. Independent of the agent's own code."""
