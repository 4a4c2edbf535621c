CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0584bdc529eb');
CREATE TABLE "datasets" (
	dataset_uuid VARCHAR(36) NOT NULL, 
	experiment_id INTEGER NOT NULL, 
	name VARCHAR(500) NOT NULL, 
	digest VARCHAR(36) NOT NULL, 
	dataset_source_type VARCHAR(36) NOT NULL, 
	dataset_source TEXT NOT NULL, 
	dataset_schema TEXT, 
	dataset_profile TEXT, 
	CONSTRAINT dataset_pk PRIMARY KEY (experiment_id, name, digest), 
	CONSTRAINT fk_datasets_experiment_id_experiments FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id) ON DELETE CASCADE
);
INSERT INTO "datasets" VALUES('1ed4a42cb1ce4257b37447d9984cf26c',1,'green_2021-01','abc123','http','{"url": "x"}','{"s": 1}','{"rows": 3}');
CREATE TABLE experiment_tags (
	"key" VARCHAR(250) NOT NULL, 
	value VARCHAR(5000), 
	experiment_id INTEGER NOT NULL, 
	CONSTRAINT experiment_tag_pk PRIMARY KEY ("key", experiment_id), 
	FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id)
);
INSERT INTO "experiment_tags" VALUES('team','green',1);
CREATE TABLE experiments (
	experiment_id INTEGER NOT NULL, 
	name VARCHAR(256) NOT NULL, 
	artifact_location VARCHAR(256), 
	lifecycle_stage VARCHAR(32), creation_time BIGINT, last_update_time BIGINT, 
	CONSTRAINT experiment_pk PRIMARY KEY (experiment_id), 
	CONSTRAINT experiments_lifecycle_stage CHECK (lifecycle_stage IN ('active', 'deleted')), 
	UNIQUE (name)
);
INSERT INTO "experiments" VALUES(0,'Default','@DIR@/mlruns/0','active',1795326641480,1795326641480);
INSERT INTO "experiments" VALUES(1,'taxi é','@DIR@/of-db/green','active',1795326641485,1795326641485);
INSERT INTO "experiments" VALUES(2,'gone','@DIR@/of-db/gone','deleted',1795326641494,1795326641711);
INSERT INTO "experiments" VALUES(3,'store','s3://bucket/store','active',1795326641499,1795326641499);
CREATE TABLE input_tags (
	input_uuid VARCHAR(36) NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	value VARCHAR(500) NOT NULL, 
	CONSTRAINT input_tags_pk PRIMARY KEY (input_uuid, name)
);
INSERT INTO "input_tags" VALUES('cdd08ec15807482999acb77fffe1d226','mlflow.data.context','training');
CREATE TABLE inputs (
	input_uuid VARCHAR(36) NOT NULL, 
	source_type VARCHAR(36) NOT NULL, 
	source_id VARCHAR(36) NOT NULL, 
	destination_type VARCHAR(36) NOT NULL, 
	destination_id VARCHAR(36) NOT NULL, 
	CONSTRAINT inputs_pk PRIMARY KEY (source_type, source_id, destination_type, destination_id)
);
INSERT INTO "inputs" VALUES('cdd08ec15807482999acb77fffe1d226','DATASET','1ed4a42cb1ce4257b37447d9984cf26c','RUN','0f44b71eb3c4430492f2e3526136c30a');
CREATE TABLE "latest_metrics" (
	"key" VARCHAR(250) NOT NULL, 
	value FLOAT NOT NULL, 
	timestamp BIGINT, 
	step BIGINT NOT NULL, 
	is_nan BOOLEAN NOT NULL, 
	run_uuid VARCHAR(32) NOT NULL, 
	CONSTRAINT latest_metric_pk PRIMARY KEY ("key", run_uuid), 
	FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid), 
	CHECK (is_nan IN (0, 1))
);
INSERT INTO "latest_metrics" VALUES('rmse',6.4,1700000000001,2,0,'0f44b71eb3c4430492f2e3526136c30a');
INSERT INTO "latest_metrics" VALUES('val/nan',0.0,1700000000000,0,1,'0f44b71eb3c4430492f2e3526136c30a');
INSERT INTO "latest_metrics" VALUES('inf',1.79769313486231562234e+308,1700000000000,-3,0,'0f44b71eb3c4430492f2e3526136c30a');
INSERT INTO "latest_metrics" VALUES('rmse',7.0,1700000002500,0,0,'28bad870abbb4043ba9028b87c929249');
CREATE TABLE "metrics" (
	"key" VARCHAR(250) NOT NULL, 
	value FLOAT NOT NULL, 
	timestamp BIGINT NOT NULL, 
	run_uuid VARCHAR(32) NOT NULL, 
	step BIGINT DEFAULT '0' NOT NULL, 
	is_nan BOOLEAN DEFAULT '0' NOT NULL, 
	CONSTRAINT metric_pk PRIMARY KEY ("key", timestamp, step, run_uuid, value, is_nan), 
	FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid), 
	CHECK (is_nan IN (0, 1))
);
INSERT INTO "metrics" VALUES('rmse',6.5,1700000000000,'0f44b71eb3c4430492f2e3526136c30a',1,0);
INSERT INTO "metrics" VALUES('rmse',6.4,1700000000001,'0f44b71eb3c4430492f2e3526136c30a',2,0);
INSERT INTO "metrics" VALUES('val/nan',0.0,1700000000000,'0f44b71eb3c4430492f2e3526136c30a',0,1);
INSERT INTO "metrics" VALUES('inf',1.79769313486231562234e+308,1700000000000,'0f44b71eb3c4430492f2e3526136c30a',-3,0);
INSERT INTO "metrics" VALUES('rmse',7.0,1700000002500,'28bad870abbb4043ba9028b87c929249',0,0);
CREATE TABLE model_version_tags (
	"key" VARCHAR(250) NOT NULL, 
	value VARCHAR(5000), 
	name VARCHAR(256) NOT NULL, 
	version INTEGER NOT NULL, 
	CONSTRAINT model_version_tag_pk PRIMARY KEY ("key", name, version), 
	FOREIGN KEY(name, version) REFERENCES model_versions (name, version) ON UPDATE cascade
);
INSERT INTO "model_version_tags" VALUES('i','0','Ride',1);
INSERT INTO "model_version_tags" VALUES('i','1','Ride',2);
INSERT INTO "model_version_tags" VALUES('i','2','Ride',3);
CREATE TABLE "model_versions" (
	name VARCHAR(256) NOT NULL, 
	version INTEGER NOT NULL, 
	creation_time BIGINT, 
	last_updated_time BIGINT, 
	description VARCHAR(5000), 
	user_id VARCHAR(256), 
	current_stage VARCHAR(20), 
	source VARCHAR(500), 
	run_id VARCHAR(32), 
	status VARCHAR(20), 
	status_message VARCHAR(500), 
	run_link VARCHAR(500), storage_location VARCHAR(500), 
	CONSTRAINT model_version_pk PRIMARY KEY (name, version), 
	FOREIGN KEY(name) REFERENCES registered_models (name) ON UPDATE CASCADE
);
INSERT INTO "model_versions" VALUES('Ride',1,1795326641984,1795326643370,'v',NULL,'Staging','@DIR@/of-db/green/0f44b71eb3c4430492f2e3526136c30a/artifacts/dir','0f44b71eb3c4430492f2e3526136c30a','READY',NULL,NULL,'@DIR@/of-db/green/0f44b71eb3c4430492f2e3526136c30a/artifacts/dir');
INSERT INTO "model_versions" VALUES('Ride',2,1795326642068,1795326642068,'v',NULL,'None','@DIR@/of-db/green/28bad870abbb4043ba9028b87c929249/artifacts/dir','28bad870abbb4043ba9028b87c929249','READY',NULL,NULL,'@DIR@/of-db/green/28bad870abbb4043ba9028b87c929249/artifacts/dir');
INSERT INTO "model_versions" VALUES('Ride',3,1795326642120,1795326643420,NULL,NULL,'Deleted_Internal','REDACTED-SOURCE-PATH','REDACTED-RUN-ID','READY',NULL,'REDACTED-RUN-LINK','@DIR@/of-db/green/0f44b71eb3c4430492f2e3526136c30a/artifacts/dir');
CREATE TABLE "params" (
	"key" VARCHAR(250) NOT NULL, 
	value VARCHAR(8000) NOT NULL, 
	run_uuid VARCHAR(32) NOT NULL, 
	CONSTRAINT param_pk PRIMARY KEY ("key", run_uuid), 
	FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid)
);
INSERT INTO "params" VALUES('depth','30','0f44b71eb3c4430492f2e3526136c30a');
INSERT INTO "params" VALUES('empty','','0f44b71eb3c4430492f2e3526136c30a');
CREATE TABLE registered_model_aliases (
	alias VARCHAR(256) NOT NULL, 
	version INTEGER NOT NULL, 
	name VARCHAR(256) NOT NULL, 
	CONSTRAINT registered_model_alias_pk PRIMARY KEY (name, alias), 
	CONSTRAINT registered_model_alias_name_fkey FOREIGN KEY(name) REFERENCES registered_models (name) ON DELETE cascade ON UPDATE cascade
);
INSERT INTO "registered_model_aliases" VALUES('best',1,'Ride');
CREATE TABLE registered_model_tags (
	"key" VARCHAR(250) NOT NULL, 
	value VARCHAR(5000), 
	name VARCHAR(256) NOT NULL, 
	CONSTRAINT registered_model_tag_pk PRIMARY KEY ("key", name), 
	FOREIGN KEY(name) REFERENCES registered_models (name) ON UPDATE cascade
);
INSERT INTO "registered_model_tags" VALUES('a','b','Ride');
CREATE TABLE registered_models (
	name VARCHAR(256) NOT NULL, 
	creation_time BIGINT, 
	last_updated_time BIGINT, 
	description VARCHAR(5000), 
	CONSTRAINT registered_model_pk PRIMARY KEY (name), 
	UNIQUE (name)
);
INSERT INTO "registered_models" VALUES('Ride',1795326641839,1795326643420,'rides');
CREATE TABLE "runs" (
	run_uuid VARCHAR(32) NOT NULL, 
	name VARCHAR(250), 
	source_type VARCHAR(20), 
	source_name VARCHAR(500), 
	entry_point_name VARCHAR(50), 
	user_id VARCHAR(256), 
	status VARCHAR(9), 
	start_time BIGINT, 
	end_time BIGINT, 
	source_version VARCHAR(50), 
	lifecycle_stage VARCHAR(20), 
	artifact_uri VARCHAR(200), 
	experiment_id INTEGER, deleted_time BIGINT, 
	CONSTRAINT run_pk PRIMARY KEY (run_uuid), 
	CONSTRAINT source_type CHECK (source_type IN ('NOTEBOOK', 'JOB', 'LOCAL', 'UNKNOWN', 'PROJECT')), 
	CONSTRAINT runs_lifecycle_stage CHECK (lifecycle_stage IN ('active', 'deleted')), 
	FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id), 
	CHECK (status IN ('SCHEDULED', 'FAILED', 'FINISHED', 'RUNNING', 'KILLED'))
);
INSERT INTO "runs" VALUES('0f44b71eb3c4430492f2e3526136c30a','first','UNKNOWN','','','me','FINISHED',1700000000000,1700000001000,'','active','@DIR@/of-db/green/0f44b71eb3c4430492f2e3526136c30a/artifacts',1,NULL);
INSERT INTO "runs" VALUES('28bad870abbb4043ba9028b87c929249','child','UNKNOWN','','','unknown','RUNNING',1700000002000,NULL,'','active','@DIR@/of-db/green/28bad870abbb4043ba9028b87c929249/artifacts',1,NULL);
INSERT INTO "runs" VALUES('197fa54b83964069a1a1f34a4fc49404','deleted','UNKNOWN','','','unknown','RUNNING',1700000003000,NULL,'','deleted','@DIR@/of-db/green/197fa54b83964069a1a1f34a4fc49404/artifacts',1,1795326641681);
INSERT INTO "runs" VALUES('e1ec5c1e33514f24bfe28fed8da440bb','of the deleted','UNKNOWN','','','unknown','RUNNING',1,NULL,'','deleted','@DIR@/of-db/gone/e1ec5c1e33514f24bfe28fed8da440bb/artifacts',2,1795326641716);
CREATE TABLE "tags" (
	"key" VARCHAR(250) NOT NULL, 
	value VARCHAR(8000), 
	run_uuid VARCHAR(32) NOT NULL, 
	CONSTRAINT tag_pk PRIMARY KEY ("key", run_uuid), 
	FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid)
);
INSERT INTO "tags" VALUES('mlflow.user','me','0f44b71eb3c4430492f2e3526136c30a');
INSERT INTO "tags" VALUES('k/é','v','0f44b71eb3c4430492f2e3526136c30a');
INSERT INTO "tags" VALUES('mlflow.runName','first','0f44b71eb3c4430492f2e3526136c30a');
INSERT INTO "tags" VALUES('note','a "quoted"
text','0f44b71eb3c4430492f2e3526136c30a');
INSERT INTO "tags" VALUES('mlflow.parentRunId','0f44b71eb3c4430492f2e3526136c30a','28bad870abbb4043ba9028b87c929249');
INSERT INTO "tags" VALUES('mlflow.runName','child','28bad870abbb4043ba9028b87c929249');
INSERT INTO "tags" VALUES('mlflow.runName','deleted','197fa54b83964069a1a1f34a4fc49404');
INSERT INTO "tags" VALUES('mlflow.runName','of the deleted','e1ec5c1e33514f24bfe28fed8da440bb');
