"""The page inside the Airflow UI."""
