"""Migrations: the steps that bring the result tables of either database to the present schema."""
