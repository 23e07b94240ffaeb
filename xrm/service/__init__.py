"""The one way to write and the one way to read, whoever asks: page, API, import, job, plugin or command."""
