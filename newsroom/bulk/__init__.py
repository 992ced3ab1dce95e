"""A newsroom of any size, invented: to see and to measure how the lists do with a hundred thousand stories.

`words` invents contents, `furnishing` people, desks and routes, `lives` what happened to each story;
`loading` stores it as the owner of the tables and has the database derive what the guards would have.
"""
