console.log("MLflow")
